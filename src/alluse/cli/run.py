"""`alluse run`: the engine at a steady rate, with its log on standard output."""

import argparse
from typing import Any

from alluse.cli.options import add_options, service
from manometer import Life

__all__ = ["add_parser"]


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "run",
        help="run the engine without a table, for containers",
        description="Run the engine at a steady rate and serve its figures, until SIGTERM or Ctrl-C. "
        "SIGHUP has the settings read again.",
    )
    add_options(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    asked = service(given, given.log_file)
    with Life(asked.settings.metrics) as life:
        running = asked.start(life)
        life.on_reload(running.reload)
        life.ready()
        life.wait(given.seconds)
    return 0
