"""`manometer top`: a live table of what one program measures, or plain lines where there is no terminal."""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TextIO

from manometer.cli.top.figures import Board, board
from manometer.cli.top.interval import Interval
from manometer.cli.top.plain import PlainView
from manometer.cli.top.snapshot import Snapshot, TargetError, fetch, metrics_url

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


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "top",
        help="show stages, caches and pools of a running program",
        description="Scrape a program's /metrics and show what happened since the scrape before: "
        "a live table in a terminal, else a line for each stage, cache and pool.",
    )
    parser.add_argument(
        "url", nargs="?", default="http://127.0.0.1:9464", help="the program's address (default: %(default)s)"
    )
    parser.add_argument(
        "--interval", type=_positive(float), default=1.0, metavar="SECONDS", help="between scrapes (default: 1)"
    )
    parser.add_argument("--count", type=_positive(int), metavar="N", help="end after that many intervals")
    parser.set_defaults(run=lambda given: run(given.url, interval=given.interval, count=given.count))


def run(url: str, *, interval: float = 1.0, count: int | None = None, patience: float = FIRST_REACHED) -> int:
    """Show the target until it is gone, interrupted, or `count` intervals have passed; return the exit status.

    patience: seconds to wait for a target that does not answer at first.
    """
    target = metrics_url(url)
    try:
        with _terminable(), _view(sys.stdout, target) as view:
            return _watch(view, target, interval, count, patience)
    except KeyboardInterrupt:
        return 0


def _watch(view: View, target: str, interval: float, count: int | None, patience: float) -> int:
    before = _first(view, target, patience)
    if before is None:
        sys.stderr.write(f"manometer: {target} did not answer in {patience:g} s; is the program running?\n")
        return 1
    shown, failed, due = 0, 0, before.at
    while count is None or shown < count:
        due = max(due + interval, time.monotonic())
        time.sleep(max(due - time.monotonic(), 0.0))
        try:
            after = fetch(target)
        except TargetError as error:
            failed += 1
            view.say(f"target gone: {error}")
            if failed == GONE_TRIES:
                sys.stderr.write(f"manometer: {target} is gone\n")
                return 1
            continue
        view.show(board(Interval(before, after)))
        before, failed, shown = after, 0, shown + 1
    return 0


def _first(view: View, target: str, patience: float) -> Snapshot | None:
    deadline, said = time.monotonic() + patience, False
    while True:
        try:
            return fetch(target)
        except TargetError as error:
            if not said:
                view.say(f"waiting for {target}: {error}")
                said = True
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.2)


def _view(out: TextIO, target: str) -> View:
    if not out.isatty():
        return PlainView(out)
    from manometer.cli.top.live import LiveView  # needs an extra

    return LiveView(target)


@contextmanager
def _terminable() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def number(text: str) -> Any:
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError(f"{text!r} is not over 0")
        return value

    number.__name__ = "number"
    return number
