"""What holds an event loop up: a thread looks now and then whether the loop turns, and where its thread is if not."""

import sys
import threading
from asyncio import AbstractEventLoop, events
from collections.abc import Callable
from threading import Event
from types import FrameType
from weakref import ref

from manometer.background import in_background

__all__ = ["LOOK_EVERY", "Heartbeat", "Watch"]

LOOK_EVERY = 0.1
"""Seconds between two looks."""


class Heartbeat:
    """What the loop tells of itself at each of its turns that the timer takes part in. due: when the next one is."""

    due: float | None = None
    thread: int | None = None

    def beat(self, due: float) -> None:
        """The loop turns; the next beat is due then, by its own clock."""
        self.thread, self.due = threading.get_ident(), due


class Watch:
    """Calls `found(function)` once for each time that one callback or step of a task holds the loop up.

    found: gets the function's name, which is that of the callback, or of the coroutine that the task runs.
    late: seconds after a beat was due from which on the loop is held up.
    """

    def __init__(self, loop: AbstractEventLoop, heartbeat: Heartbeat, found: Callable[[str], object], late: float):
        self._loop, self._heartbeat, self._found, self._late = ref(loop), heartbeat, found, late
        self._stopped = Event()
        self._told: float | None = None

    def start(self) -> None:
        """Look from now on; RuntimeError where there is no thread to be had."""
        in_background(self._run, "manometer-loop", self.stop)

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_EVERY) and self.look():
            pass

    def look(self) -> bool:
        """Look once; whether there is anything to look at later on."""
        loop, due = self._loop(), self._heartbeat.due
        if loop is None or loop.is_closed():
            return False
        if due is not None and due != self._told and loop.is_running() and loop.time() - due > self._late:
            self._told = due
            frame = sys._current_frames().get(self._heartbeat.thread or 0)
            name = None if frame is None else _callback(frame)
            if name is not None and self._heartbeat.due == due:  # else it went on meanwhile
                self._found(name)
        return True


def _callback(innermost: FrameType) -> str | None:
    """The name of what the loop runs in these frames; None where it waits, or is not written in Python."""
    called, frame = innermost, innermost.f_back
    while frame is not None:
        if frame.f_code is _RUN:
            return f"{called.f_globals.get('__name__', '')}.{called.f_code.co_qualname}"
        called, frame = frame, frame.f_back
    return None


_RUN = events.Handle._run.__code__
