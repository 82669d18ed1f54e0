"""`alluse demo`: the engine at a steady rate, and what is measured of it as a live table."""

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from alluse.cli.options import add_options, service
from alluse.foreground import alone_in_foreground
from alluse.service import Running, stopped_by_signals
from alluse.table import Table

__all__ = ["add_parser"]

_log = logging.getLogger("alluse")


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "demo",
        help="run the engine and show a live table of it",
        description="Run the engine at a steady rate, serve its figures and show them as a table, until Ctrl-C.",
    )
    add_options(parser)
    parser.add_argument(
        "--stack",
        type=Path,
        metavar="DIR",
        help="start Prometheus and Alertmanager too, by DIR/compose and DIR/alert_rules",
    )
    parser.add_argument(
        "--foreground",
        action="store_true",
        help="have Ctrl-C reach this program alone, and not the make or the script that runs it",
    )
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    if given.stack is not None:
        from alluse.stack import Checkout

        Checkout(given.stack)  # says at once, and not when all else runs, that the folder is none
    with ExitStack() as started:
        if given.foreground:
            started.enter_context(alone_in_foreground())
        log_file = given.log_file or started.enter_context(_log_folder()) / "alluse.log"
        until = started.enter_context(stopped_by_signals())
        running = started.enter_context(service(given, log_file).running())
        sys.stdout.write(_greeting(running, log_file))
        if given.stack is not None:
            sys.stdout.write(started.enter_context(_stack(given.stack, running)))
        sys.stdout.flush()
        table = started.enter_context(Table(running.metrics_url))
        running.engine.on_crash(table.close)
        told = False
        for _ in until(given.seconds):
            if table.ended == 0:  # it was closed by whoever watched it
                break
            if table.ended is not None and not told:
                told = True
                sys.stderr.write(
                    f"alluse: the table ended with status {table.ended}; the engine goes on, Ctrl-C stops it\n"
                )
    return 0


@contextmanager
def _log_folder() -> Iterator[Path]:
    """A new folder, which stays where a log was written in it."""
    folder = Path(tempfile.mkdtemp(prefix="alluse-"))
    try:
        yield folder
    finally:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def _greeting(running: Running, log_file: Path) -> str:
    return (
        f"ALL-USE runs: metrics at {running.metrics_url}/metrics, faults at {running.faults_url}/faults, "
        f"log in {log_file}; Ctrl-C stops it\n"
    )


@contextmanager
def _stack(folder: Path, running: Running) -> Iterator[str]:
    """Prometheus and Alertmanager beside the engine; the line to show. What they deliver goes to the log."""
    from alluse.inbox import Inbox
    from alluse.stack import Stack, missing_programs

    missing = missing_programs()
    if missing:
        yield f"no stack: install {' and '.join(missing)} first; the engine runs without\n"
        return
    engine = running.metrics_url.partition("//")[2]
    with (
        Inbox(port=0, heard=lambda alert: _log.warning(alert.line()), refused=_log.warning) as inbox,
        Stack(folder, engine=engine, inbox=inbox.address, usual_ports=True) as stack,
    ):
        yield (
            f"Prometheus at {stack.prometheus_url}, Alertmanager at {stack.alertmanager_url}, "
            f"delivered alerts in the log and at http://{inbox.address}/alerts\n"
        )
