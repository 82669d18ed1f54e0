"""Events of one series, written without waiting and folded into its figures in batches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["PENDING_LIMIT", "Pending"]

E = TypeVar("E")

PENDING_LIMIT = 256
"""Events a series holds before a writer folds them itself, whether anyone collects or not."""


class Pending(Generic[E]):
    """A write is one `list.append`, which is atomic; whoever gets the lock folds what has come in.

    A writer never waits for that lock: it tries, and leaves the events where another thread is
    folding already. So a write is safe from a signal handler, a finalizer or a gc callback, even
    one that interrupts a fold on its own thread.
    """

    __slots__ = ("_events", "_fold", "_lock")

    def __init__(self, fold: Callable[[list[E]], None]) -> None:
        self._events: list[E] = []
        self._fold = fold
        self._lock = Lock()

    def push(self, event: E) -> None:
        """Add one event; never blocks."""
        events = self._events
        events.append(event)
        if len(events) >= PENDING_LIMIT and self._lock.acquire(blocking=False):
            try:
                self._drain()
            finally:
                self._lock.release()

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Fold all that has come in, and keep the figures still while they are read or replaced."""
        with self._lock:
            self._drain()
            yield

    def _drain(self) -> None:
        batch = self._events[:]
        del self._events[: len(batch)]  # what others appended meanwhile stands behind, and stays
        self._fold(batch)
