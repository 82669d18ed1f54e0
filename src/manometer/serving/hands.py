"""Threads that go on with connections, one each."""

from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock

from manometer.background import in_background
from manometer.serving.connection import Connection

__all__ = ["Hands"]

_STAY = 1.0
"""Seconds that a thread waits for more to do: taking it up costs a tenth of a new thread."""


class Hands:
    """work: what a thread does with a connection, and may not fail."""

    def __init__(self, work: Callable[[Connection], None]) -> None:
        self._work = work
        self._lock = Lock()
        self._given: SimpleQueue[Connection | None] = SimpleQueue()
        self._free = 0  # threads that wait, less what is given to them
        self._ended = False

    def begin(self, connection: Connection) -> None:
        """Have a thread go on with the connection. Raises RuntimeError where none can be started."""
        with self._lock:
            if self._free:
                self._free -= 1
                self._given.put(connection)
                return
        in_background(partial(self._run, [connection]), "manometer-answer", self.end)

    def end(self) -> None:
        """Keep no thread waiting."""
        with self._lock:
            self._ended = True
            while self._free:
                self._free -= 1
                self._given.put(None)

    def _run(self, first: list[Connection]) -> None:
        following: Connection | None = first.pop()  # the thread is not to keep it, nor what was received
        while following is not None:
            self._work(following)
            following = None
            following = self._next()

    def _next(self) -> Connection | None:
        with self._lock:
            if self._ended:
                return None
            self._free += 1
        try:
            return self._given.get(timeout=_STAY)
        except Empty:
            with self._lock:
                if self._free:
                    self._free -= 1
                    return None
            return self._given.get()  # something was given at the last moment
