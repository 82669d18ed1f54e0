"""The `alluse` command: a file a subcommand, each with `add_parser(subparsers)`."""

import os
import sys
from collections.abc import Sequence

from alluse.errors import AllUseError, BookUnavailableError
from manometer import ManometerError, __version__

__all__ = ["main"]

_INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    2, with one line on standard error, for a user's mistake; 1 for a database that cannot be reached.
    """
    try:
        return _run(argv)
    except KeyboardInterrupt:  # before the command was ready to end by itself
        return _INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    try:
        from alluse.cli import demo, inbox, run  # this late, main() sees a Ctrl-C meanwhile
        from alluse.cli.arguments import Parser
    except ModuleNotFoundError as error:
        if error.name == "fcntl":
            sys.stderr.write("alluse: this system has no fcntl; ALL-USE runs on Linux and macOS, or by compose/\n")
            return 2
        if (error.name or "alluse").partition(".")[0] in ("alluse", "manometer"):
            raise
        sys.stderr.write("alluse: libraries are missing; in a checkout: pip install -r src/alluse/requirements.txt\n")
        return 2
    parser = Parser(
        prog="alluse",
        description="ALL-USE, a trading agent's engine on real daily prices, instrumented by Manometer.",
    )
    parser.add_argument("--version", action="version", version=f"alluse, with manometer {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="command", required=True)
    for command in (demo, run, inbox):
        command.add_parser(subparsers)
    try:
        arguments = parser.parse_args(argv)
        status: int = arguments.run(arguments)
        sys.stdout.flush()  # what a reader that has gone left in the buffer fails here, and not at the exit
    except BookUnavailableError as error:
        sys.stderr.write(f"alluse: {error}\n")
        return 1
    except (AllUseError, ManometerError) as error:
        sys.stderr.write(f"alluse: {error}\n")
        return 2
    except BrokenPipeError:  # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
