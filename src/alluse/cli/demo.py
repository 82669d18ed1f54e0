"""`alluse demo`: the engine at a steady rate, and what is measured of it as a live table."""

import argparse
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import inf
from pathlib import Path
from typing import Any

from alluse.alerts import Alerts
from alluse.cli.options import add_options, service
from alluse.foreground import alone_in_foreground
from alluse.headline import Headline
from alluse.inbox import Inbox
from alluse.rounds import QUIET, ROUNDS, Rounds
from alluse.scratch import new_folder
from alluse.service import TICK, Running
from alluse.stack import Checkout, Stack, missing_programs
from alluse.table import Table
from manometer import Life

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
        help="start Prometheus and Alertmanager too, by DIR/compose",
    )
    parser.add_argument(
        "--calm",
        action="store_true",
        help="leave out the faults that come and go by themselves where no --fault is given: "
        f"{', '.join(fault.name for fault in ROUNDS)}, with {QUIET:g} s of quiet before each",
    )
    parser.add_argument(
        "--foreground",
        action="store_true",
        help="have Ctrl-C reach this program alone, and not the make or the script that runs it",
    )
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    if given.stack is not None:
        Checkout(given.stack)  # says at once, and not when all else runs, that the folder is none
    with ExitStack() as started:
        if given.foreground:
            started.enter_context(alone_in_foreground())
        log_file = given.log_file or started.enter_context(_new_log())
        asked = service(given, log_file)
        life = started.enter_context(Life(asked.settings.metrics))
        running = asked.start(life)
        sys.stdout.write(_greeting(running, log_file))
        sys.stdout.flush()
        links, alerts = [f"faults {running.faults_url}/faults  log {log_file}"], None
        if given.stack is not None:
            shown, alerts = life.start(_stack(given.stack, running))
            sys.stdout.write(f"{shown}\n")
            links.append(shown)
        sys.stdout.flush()
        faults = running.engine.faults
        rounds = None if given.calm or given.fault else Rounds(faults)
        # Into a pipe, the links stand above already.
        headline = Headline(
            links if sys.stdout.isatty() else [], faults, f"{running.faults_url}/faults", rounds, alerts
        )
        table = life.start(Table(running.metrics_url))
        running.engine.on_crash(table.close)
        life.ready()
        told, end = False, inf if given.seconds is None else time.monotonic() + given.seconds
        while not life.wait(TICK) and time.monotonic() < end:
            if rounds is not None:
                rounds.tick()
            table.note(headline.lines())
            if table.ended == 0:  # it was closed by whoever watched it
                break
            if table.ended is not None and not told:
                told = True
                sys.stderr.write(
                    f"alluse: the table ended with status {table.ended}; the engine goes on, Ctrl-C stops it\n"
                )
    return 0


@contextmanager
def _new_log() -> Iterator[Path]:
    """A log file in a new folder, which goes with a demo that ends well; one that fails leaves it behind."""
    folder = new_folder("alluse-")
    log = folder / "alluse.log"
    try:
        yield log
    except BaseException:
        if log.exists() and log.stat().st_size:
            sys.stderr.write(f"alluse: the log stays in {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _greeting(running: Running, log_file: Path) -> str:
    return (
        f"ALL-USE runs: metrics at {running.metrics_url}/metrics, faults at {running.faults_url}/faults, "
        f"log in {log_file}; Ctrl-C stops it\n"
    )


@contextmanager
def _stack(folder: Path, running: Running) -> Iterator[tuple[str, Alerts | None]]:
    """Prometheus and Alertmanager beside the engine: where they are, and their alerts.

    What they deliver goes to the log.
    """
    missing = missing_programs()
    if missing:
        yield f"no stack: install {' and '.join(missing)} first; the engine runs without", None
        return
    engine = running.metrics_url.partition("//")[2]
    with (
        Inbox(port=0, heard=lambda alert: _log.warning(alert.line()), refused=_log.warning) as inbox,
        Stack(folder, engine=engine, inbox=inbox.address, usual_ports=True) as stack,
        Alerts(stack.prometheus_url) as alerts,
    ):
        links = (
            f"Prometheus {stack.prometheus_url}  Alertmanager {stack.alertmanager_url}  "
            f"delivered alerts http://{inbox.address}/alerts"
        )
        yield links, alerts
