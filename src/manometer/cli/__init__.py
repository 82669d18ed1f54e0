"""The `manometer` command: a file a subcommand, each with `add_parser(subparsers)`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from manometer.cli import top
from manometer.errors import ConfigError, ManometerError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 2, and one line on standard error, for a user's mistake."""
    try:
        arguments = _parser().parse_args(argv)
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except ManometerError as error:
        sys.stderr.write(f"manometer: {error}\n")
        return 2
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="manometer", description="Look at what Manometer measures, and write dashboards and rules for it."
    )
    parser.add_argument("--version", action="version", version=f"manometer {version('manometer')}")
    subparsers = parser.add_subparsers(title="commands", metavar="command", required=True)
    top.add_parser(subparsers)
    try:
        from manometer.cli import mixin
    except ImportError:
        # No option of it is known here: with another prefix they pass as arguments.
        missing = subparsers.add_parser(
            "mixin", help="write dashboards and rules; needs an extra", prefix_chars="\0", add_help=False
        )
        missing.add_argument("arguments", nargs="*")
        missing.set_defaults(run=_refuse_mixin)
    else:
        mixin.add_parser(subparsers)
    return parser


def _refuse_mixin(_: argparse.Namespace) -> int:
    raise ConfigError("the mixin command needs an extra: pip install 'manometer[mixin]'")
