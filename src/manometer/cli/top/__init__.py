"""`manometer top`: a live table of what one program measures, or plain lines where there is no terminal."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TextIO

from manometer.cli.request import TIME_OUT, TargetError, WrongTargetError
from manometer.cli.top.ending import terminable
from manometer.cli.top.figures import Board, board
from manometer.cli.top.interval import Interval
from manometer.cli.top.notes import Note, Notes
from manometer.cli.top.plain import PlainView
from manometer.cli.top.scrape import Scrape, fetch, metrics_url
from manometer.redaction import without_secrets

__all__ = ["add_parser", "run"]

FIRST_REACHED = 15.0
"""Seconds that a target may take to appear: it may be starting up."""
GONE_TRIES = 5
"""Scrapes in a row that may fail before the target counts as gone for good."""


class View(AbstractContextManager["View"], Protocol):
    """Where boards are shown."""

    def show(self, board: Board) -> None:
        """Show the figures of one interval."""

    def say(self, message: str) -> None:
        """Show that there are none, and why."""

    def note(self, notes: Sequence[Note]) -> None:
        """Show these lines above the figures, in the place of those before."""


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "top",
        help="show stages, caches, pools and queues of a running program",
        description="Scrape a program's /metrics and show what happened since the scrape before: "
        "a live table in a terminal, else a line for each stage, cache, pool and queue.",
    )
    parser.add_argument(
        "url", nargs="?", default="http://127.0.0.1:9464", help="the program's address (default: %(default)s)"
    )
    parser.add_argument(
        "--interval", type=_positive(float), default=1.0, metavar="SECONDS", help="between scrapes (default: 1)"
    )
    parser.add_argument("--count", type=_positive(int), metavar="N", help="end after that many intervals")
    parser.add_argument(
        "--notes",
        action="store_true",
        help="show lines from standard input above the table: an empty line ends them, the next ones take their "
        "place, and a line that begins with ! stands out",
    )
    parser.set_defaults(
        run=lambda given: run(given.url, interval=given.interval, count=given.count, notes=given.notes)
    )


def run(
    url: str,
    *,
    interval: float = 1.0,
    count: int | None = None,
    notes: bool = False,
    patience: float = FIRST_REACHED,
) -> int:
    """Show the target until it is gone, interrupted, or `count` intervals have passed; return the exit status.

    notes: whether to show lines from standard input too; patience: seconds to wait for a target that does not
    answer at first.
    """
    target = metrics_url(url)
    given = Notes(sys.stdin.fileno() if notes else None)
    try:
        with terminable(), _view(sys.stdout, without_secrets(target)) as view:
            reason = _watch(view, given, target, interval, count, patience)
    except KeyboardInterrupt:
        return 0
    if reason is None:
        return 0
    sys.stderr.write(f"manometer: {reason}\n")
    return 1


def _watch(view: View, notes: Notes, target: str, interval: float, count: int | None, patience: float) -> str | None:
    """Show the target; what there is to say where it cannot be shown, or no longer."""
    name = without_secrets(target)
    try:
        before = _first(view, notes, target, patience)
    except WrongTargetError as error:
        return f"{name} has no figures to show: {error}"
    except TargetError as error:
        return f"{name} showed no figures in {patience:g} s: {error}; is the program running?"
    shown, failed, due = 0, 0, before.at
    while count is None or shown < count:
        due = max(due + interval, time.monotonic())
        _pause(view, notes, due)
        try:
            after = fetch(target)
        except TargetError as error:
            failed += 1
            view.say(f"target gone: {error}")
            if failed == GONE_TRIES:
                return f"{name} is gone"
            continue
        view.show(board(Interval(before, after)))
        before, failed, shown = after, 0, shown + 1
    return None


def _first(view: View, notes: Notes, target: str, patience: float) -> Scrape:
    """The first scrape; WrongTargetError at once, and another TargetError when the patience is at its end."""
    deadline, said = time.monotonic() + patience, False
    while True:
        try:
            return fetch(target, min(TIME_OUT, max(deadline - time.monotonic(), 0.1)))
        except WrongTargetError:
            raise
        except TargetError as error:
            if time.monotonic() >= deadline:
                raise
            if not said:
                view.say(f"waiting for {without_secrets(target)}: {error}")
                said = True
        _pause(view, notes, min(time.monotonic() + 0.2, deadline))


def _pause(view: View, notes: Notes, until: float) -> None:
    """Wait, and show the notes that come in meanwhile."""
    while True:
        block = notes.wait(until)
        if block is None:
            return
        view.note(block)


def _view(out: TextIO, target: str) -> View:
    if not out.isatty():
        return PlainView(out)
    from manometer.cli.top.live import LiveView  # needs an extra

    return LiveView(target)


def _positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def number(text: str) -> Any:
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError(f"{text!r} is not over 0 and under a billion")
        return value

    number.__name__ = "whole number" if kind is int else "number"
    return number
