"""`manometer catalogue`: print every metric, for people, for programs, or as an OpenTelemetry registry."""

import argparse
import json
import sys
from pathlib import Path

from manometer.errors import ConfigError

__all__ = ["add_parser", "run"]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "catalogue",
        help="print every metric by its names",
        description="Print every metric with its OpenTelemetry and Prometheus names.",
    )
    parser.add_argument(
        "--format",
        choices=("markdown", "json", "weaver"),
        default="markdown",
        help="tables, JSON, or the definitions of an OpenTelemetry registry (default: markdown)",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="with --format weaver: write the whole registry there"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    # Each format is imported where it is asked for: the other commands need none of them.
    if args.out is not None and args.format != "weaver":
        raise ConfigError(f"--out is for a registry; add --format weaver, or redirect the {args.format}")
    if args.format == "weaver":
        from manometer.cli.catalogue import weaver

        if args.out is None:
            sys.stdout.write(weaver.text(weaver.definitions()))
        else:
            sys.stdout.writelines(f"{path}\n" for path in weaver.write(args.out))
    elif args.format == "json":
        from manometer.cli.catalogue import metrics

        sys.stdout.write(json.dumps(metrics.rows(), indent=2, ensure_ascii=False) + "\n")
    else:
        from manometer.mixin.tables import metrics_table

        sys.stdout.write(metrics_table() + "\n")
    return 0
