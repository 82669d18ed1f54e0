"""What a process serves at once, which a forked child begins anew."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from manometer.meters.fork import Forked, freed_in_child, renewed_in_child

__all__ = ["ForEachProcess", "Slots"]

T = TypeVar("T")


class Slots:
    """So many things may be under way at once: `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit, self._taken = limit, 0
        self._lock = freed_in_child(Lock())
        renewed_in_child(self)

    def take(self) -> bool:
        """Begin one, unless as many as may be are under way."""
        with self._lock:
            if self._taken >= self.limit:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """One has ended."""
        with self._lock:
            self._taken -= 1

    def renew(self, _: Forked) -> None:
        """In a forked child nothing is under way."""
        self._taken = 0


class ForEachProcess(Generic[T]):
    """A thing with threads, which every process makes for itself when it first needs it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._own: T | None = None
        self._lock = freed_in_child(Lock())
        renewed_in_child(self)

    @property
    def own(self) -> T:
        """This process's."""
        with self._lock:
            if self._own is None:
                self._own = self._make()
            return self._own

    def renew(self, _: Forked) -> None:
        """In a forked child the threads are none."""
        self._own = None
