"""Pushes figures to an OTLP receiver from a thread of its own, for as long as the program runs."""

import time
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from typing import NamedTuple

from manometer.background import in_background
from manometer.errors import ConfigError
from manometer.meters import uwsgi
from manometer.meters.fork import Forked, notice, renewed_in_child, started_in_child
from manometer.otlp.metrics.sender import Sender

__all__ = ["FAILING_SECONDS", "FLUSH_SECONDS", "Push", "Rhythm"]

_LOOKS = 0.5
"""Seconds between two looks at whether the thread that is waited for is there."""
FLUSH_SECONDS = 10.0
"""Time that closing waits for the last figures to arrive, before it gives them up."""
FAILING_SECONDS = 3.0
"""The same where the push before has failed: a program ends soon whose receiver is not there."""


class Rhythm(NamedTuple):
    """Seconds from one push to the next, that one may take, and that a collector may take in it."""

    interval: float
    timeout: float
    patience: float


class _Asked:
    """Somebody waits for a push."""

    def __init__(self) -> None:
        self.done, self.arrived = Event(), False


class Push:
    """Has a sender send after each interval, one push at a time.

    of_each: whether a forked child pushes too; else only the process that began does.
    Raises ConfigError where no thread can be started.
    """

    def __init__(self, sender: Sender, rhythm: Rhythm, *, of_each: bool) -> None:
        self._sender, self._rhythm, self._of_each = sender, rhythm, of_each
        self._thread: Thread | None = None
        self._wake, self._asked = Event(), list[_Asked]()
        self._ends = False
        try:
            self._run()
        except RuntimeError as error:
            raise ConfigError(f"no metrics can be pushed from here ({error}); leave otlp_endpoint out") from error
        renewed_in_child(started_in_child(self))

    def flush(self) -> bool:
        """Push now, and wait for it.

        Returns whether the receiver took all. It is true too where another process pushes: where that has the turn,
        and in a forked child that shares no figures.
        """
        notice()
        thread = self._thread
        if thread is None:
            return True
        asked = _Asked()
        self._asked.append(asked)
        self._wake.set()
        while not asked.done.wait(_LOOKS):
            if not thread.is_alive():
                return False
        return asked.arrived

    def close(self) -> None:
        """Push the last figures, within a bound, and no more; a second call does nothing."""
        notice()
        self._end()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(FAILING_SECONDS if self._sender.fails else FLUSH_SECONDS)
            self._sender.close()

    def renew(self, forked: Forked) -> None:
        """In a forked child: the thread is its parent's."""
        self._sender.renew(forked)
        self._thread = None
        self._wake, self._asked = Event(), list[_Asked]()

    def start_anew(self) -> None:
        """In a forked child: push from here too, if each process does."""
        if self._of_each and not self._ends:
            with suppress(RuntimeError):  # at the interpreter's end there are no new threads
                self._run()

    def _run(self) -> None:
        if not uwsgi.forks_later():  # else a worker will
            self._thread = in_background(partial(self._loop, self._wake, self._asked), "manometer-otlp", self._end)

    def _end(self) -> None:
        self._ends = True
        self._wake.set()

    def _loop(self, wake: Event, waiting: list[_Asked]) -> None:
        interval, timeout, patience = self._rhythm
        due = time.monotonic() + interval
        while True:
            wake.wait(max(due - time.monotonic(), 0.0))
            wake.clear()
            ends = self._ends
            asked = [waiting.pop(0) for _ in range(len(waiting))]
            if ends or asked or time.monotonic() >= due:
                arrived = self._sender.send(timeout, patience, last=ends)
                for each in asked:
                    each.arrived = arrived
                    each.done.set()
                due = time.monotonic() + interval
            if ends:
                return
