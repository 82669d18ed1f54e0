"""`manometer mixin`: write the dashboards and rules, or check that those there are up to date."""

import argparse
import sys
from pathlib import Path

__all__ = ["add_parser", "run"]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "mixin",
        help="write the dashboards and rules",
        description="Write Grafana dashboards to DIR/dashboards and Prometheus rules to DIR/alert_rules.",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path(), help="where to write (default: here)")
    parser.add_argument("--config", metavar="FILE", type=Path, help="YAML of thresholds in the place of the defaults")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is not up to date")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 where `--check` finds files that are not up to date."""
    from manometer.mixin import render  # its libraries are an extra, which other commands do not need

    config = render.configuration(args.config)
    if not args.check:
        for path in render.write(config, args.out):
            sys.stdout.write(f"{path}\n")
        return 0
    complaints = render.stale(config, args.out)
    for complaint in complaints:
        sys.stderr.write(f"{complaint}; run `make mixin`\n")
    return 1 if complaints else 0
