"""`manometer mixin`: write the dashboards, rules and runbooks, or check that those there are up to date."""

import argparse
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from manometer.errors import ConfigError
from manometer.mixin import output, shipped

__all__ = ["add_parser", "run"]

_FORMATS = ("prometheus", "operator", "jsonnet")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "mixin",
        help="write the dashboards, rules and runbooks",
        description="Write Grafana dashboards to DIR/dashboards, Prometheus rules to DIR/alert_rules, and the "
        "runbooks that are missing to DIR/docs/runbooks; or dashboards and rules in another format.",
    )
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default=_FORMATS[0],
        help="operator: Kubernetes manifests for the Prometheus Operator, in DIR/operator; "
        "jsonnet: also DIR/mixin.libsonnet; both need the extra mixin (default: %(default)s)",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to write (default: here)")
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="YAML of your scrape jobs and thresholds; needs the extra mixin",
    )
    parser.add_argument(
        "--service",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="YAML of what a service promises, whose burn rates alert; once for each service; needs the extra mixin",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is not up to date")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 where `--check` finds files that are not up to date."""
    files, root = _files(args), args.out or Path()
    if not args.check:
        for path in output.write(files, root):
            sys.stdout.write(f"{path}\n")
        for complaint in output.left_over(files, root):
            sys.stderr.write(f"{complaint}\n")
        if args.config is None:
            sys.stderr.write(
                "every target that shows Manometer's figures is watched, and alerts name their runbooks by a path; "
                "give a file with `jobs: [...]`, which should always have a target, and `runbooks: URL` by --config\n"
            )
        return 0
    complaints = output.stale(files, root)
    for complaint in complaints:
        sys.stderr.write(f"{complaint}\n")
    if complaints:
        sys.stderr.write(f"write all of them anew: {_command(args)}\n")
    return 1 if complaints else 0


def _files(args: argparse.Namespace) -> Mapping[str, str]:
    """What the thresholds make; without the libraries that write it, what the package has for the defaults."""
    try:
        from manometer.mixin import render  # needs an extra
        from manometer.mixin.slo.file import read_services
    except ConfigError:
        if args.config is not None or args.service or args.format != _FORMATS[0]:
            raise
        return shipped.defaults()
    return render.files(render.configuration(args.config), args.format, read_services(args.service))


def _command(args: argparse.Namespace) -> str:
    """The command that writes what was checked."""
    form = args.format if args.format != _FORMATS[0] else None
    services = [("--service", each) for each in args.service]
    given = [("--out", args.out), ("--config", args.config), *services, ("--format", form)]
    return shlex.join(["manometer", "mixin", *(str(part) for pair in given if pair[1] for part in pair)])
