"""The `manometer` command: a file a subcommand, each with `add_parser(subparsers)`."""

import argparse
import os
import sys
from collections.abc import Sequence

from manometer.errors import ManometerError

__all__ = ["main"]

_INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 2, and one line on standard error, for a user's mistake."""
    try:
        return _run(argv)
    except KeyboardInterrupt:  # before the command was ready to end by itself
        return _INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except ManometerError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "manometer").partition(".")[0] == "manometer":
            raise
        name = arguments.command  # of the command and of its extra
        return _refuse(f"the {name} command needs an extra: pip install 'manometer[{name}]'")
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _refuse(reason: str) -> int:
    sys.stderr.write(f"manometer: {reason}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    # So late that main() sees a Ctrl-C meanwhile.
    from manometer.cli import advise, catalogue, certify, config, mixin, serve, top
    from manometer.version import __version__

    parser = argparse.ArgumentParser(
        prog="manometer", description="Look at what Manometer measures, and write dashboards and rules for it."
    )
    parser.add_argument("--version", action="version", version=f"manometer {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", metavar="command", required=True)
    for command in (top, serve, config, mixin, catalogue, certify, advise):
        command.add_parser(subparsers)
    return parser
