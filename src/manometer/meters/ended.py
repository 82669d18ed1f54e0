"""What the removed series of a family had come to, for the sums of several processes: such a sum must not fall."""

from collections.abc import Callable, Sequence
from threading import RLock
from typing import Generic, Protocol, TypeVar

from manometer.meters.family import Series, Values
from manometer.meters.labels import OTHER

__all__ = ["Ended"]

_UNREAD = 64  # removed series that wait to be read

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class _Child(Protocol[R_co]):
    def _read(self) -> R_co: ...


class Ended(Generic[R]):
    """The readings of a family's removed series, those of the same label values added up.

    lock: the family's; added_up: adds up readings; max_series: label values that are told apart.
    A removed series is read without the lock: whoever holds the lock must not wait for a series that is being read.
    """

    def __init__(self, lock: RLock, added_up: Callable[[Sequence[R]], R], max_series: int) -> None:
        self._lock, self._added_up, self._max_series = lock, added_up, max_series
        self._unread: list[tuple[Values, _Child[R]]] = []
        self._readings: dict[Values, R] = {}

    def add(self, values: Values, child: _Child[R]) -> None:
        """Take in a series that is being removed; the lock is held."""
        self._unread.append((values, child))

    def now(self) -> Callable[[], list[Series]]:
        """What reads the series that have been removed by now; the lock is held, and not for the reading."""
        readings, unread = self._readings, self._unread[:]
        return lambda: [*self._with(readings, unread).items()]

    def settle(self) -> None:
        """Let go of the removed series themselves, where there are many."""
        if len(self._unread) < _UNREAD:
            return
        with self._lock:
            before, unread = self._readings, self._unread[:]
        readings = self._with(before, unread)
        with self._lock:
            if self._readings is before:  # nobody has settled meanwhile
                self._readings = readings
                del self._unread[: len(unread)]

    def clear(self) -> None:
        """Forget everything, as a forked child does."""
        self._readings, self._unread = {}, []

    def _with(self, before: dict[Values, R], unread: Sequence[tuple[Values, _Child[R]]]) -> dict[Values, R]:
        found = before.copy()
        for removed, child in unread:
            values = removed
            if values not in found and len(found) >= self._max_series:
                values = (OTHER,) * len(values)
            reading = child._read()
            found[values] = self._added_up([found[values], reading]) if values in found else reading
        return found
