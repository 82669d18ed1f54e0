"""What a family's series said when they were read last, so that only those are read that may have changed since."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import compress
from threading import Lock, RLock
from typing import Any, NamedTuple, Protocol

from manometer.meters.family import Series, Values
from manometer.meters.fork import freed_in_child
from manometer.meters.write_buffer import WriteBuffer

__all__ = ["LastRead"]


class _Child(Protocol):
    pending: WriteBuffer[Any]
    _labelvalues: Values

    def _read(self) -> Any: ...


class _Read(NamedTuple):
    """The children of a family, their lists of pending events in the same order, and what each child said."""

    children: Mapping[Values, _Child]
    events: list[list[Any]]
    series: dict[Values, Series]
    noted: set[_Child]


class LastRead:
    """Finds out of twenty thousand series the few to read, by one look at each list of pending events.

    A series without pending events may have changed too: a writer folded them, or the series got an exemplar, or it
    began anew. Then it notes itself here, before its pending events are gone: so one of the two is always found.

    lock: the family's, under which it says that children came or went.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._collecting = freed_in_child(Lock())
        self._last: _Read | None = None
        self._shown: object = None
        self._noted: set[_Child] | None = None
        self._changes = 0

    def note(self, child: _Child) -> None:
        """The child may have changed."""
        noted = self._noted
        if noted is not None:  # else nobody relies on it, and it would hold a child that was removed
            noted.add(child)

    def forget(self) -> None:
        """There are other children, or they began anew; the lock is held."""
        self._changes += 1
        self._last = self._noted = None

    def now(self, children: Mapping[Values, _Child], shown: object) -> Callable[[], list[Series]]:
        """What reads the series that there are now; the lock is held, and not for the reading.

        shown: what readings depend on besides. Where it is another than last time, all are read.
        """
        if self._last is not None and shown == self._shown:
            return partial(self._alone, partial(_changed, self._last), self._last.children)
        self.forget()
        self._shown, self._noted = shown, set()
        children = dict(children)
        return partial(self._alone, partial(self._all, children, self._noted, self._changes), children)

    def _alone(self, read: Callable[[], list[Series]], children: Mapping[Values, _Child]) -> list[Series]:
        """Read in that way, or every series where another collection is at it, maybe one that this interrupts."""
        if not self._collecting.acquire(blocking=False):
            return [(values, child._read()) for values, child in children.items()]
        try:
            return read()
        except BaseException:  # one that was noted may not have been read
            with self._lock:
                self.forget()
            raise
        finally:
            self._collecting.release()

    def _all(self, children: Mapping[Values, _Child], noted: set[_Child], changes: int) -> list[Series]:
        series = {values: (values, child._read()) for values, child in children.items()}
        events = [child.pending.events for child in children.values()]
        with self._lock:
            if changes == self._changes:
                self._last = _Read(children, events, series, noted)
        return [*series.values()]


def _changed(last: _Read) -> list[Series]:
    """The series, read where they may have changed: first by their events, since these go after the note was made."""
    children, events, series, noted = last
    found = [*compress(children.values(), events)]
    while noted:
        found.append(noted.pop())
    for child in found:
        values = child._labelvalues
        if children.get(values) is child:  # and not one that was removed, and is written to
            reading = child._read()
            if reading is not series[values][1]:
                series[values] = (values, reading)
    return [*series.values()]
