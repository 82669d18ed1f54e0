"""`alluse inbox`: takes in what Alertmanager delivers, and tells it line by line."""

import argparse
import sys
from typing import Any

from alluse.cli.arguments import port
from alluse.inbox import PORT, Delivery, Inbox
from manometer import Life, Settings

__all__ = ["add_parser"]


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "inbox",
        help="receive alerts from Alertmanager and show them",
        description="Take in what Alertmanager delivers by webhook, until SIGTERM or Ctrl-C: a line an alert, "
        "for people in a terminal, else as JSON. GET /alerts shows the latest.",
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address (default: %(default)s)")
    parser.add_argument("--port", type=port, default=PORT, metavar="N", help="port (default: %(default)s)")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    readable = sys.stdout.isatty()

    def heard(alert: Delivery) -> None:
        _say(alert.line() if readable else alert.json())

    with Life(Settings()) as life:
        inbox = life.start(Inbox(given.host, given.port, heard=heard, refused=_complain))
        sys.stderr.write(f"the inbox listens at http://{inbox.address}; Ctrl-C stops it\n")
        life.ready()
        life.wait()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(reason: str) -> None:
    sys.stderr.write(f"alluse: {reason}\n")
