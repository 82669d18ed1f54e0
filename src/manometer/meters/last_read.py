"""What a family's series said when they were read last, so that only those are read that may have changed since."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import compress, count
from operator import length_hint, ne
from threading import RLock
from typing import Any, Protocol
from weakref import ref

from manometer.meters.columns import Columns
from manometer.meters.family import Values
from manometer.meters.write_buffer import WriteBuffer

__all__ = ["LastRead"]


class _Child(Protocol):
    pending: WriteBuffer[Any]
    _is_restless: bool

    @property
    def _chunk(self) -> Iterator[bool] | None:
        """What the writes shorten that leave no event; None where every write leaves one."""

    def _read(self, reader: object = None) -> Any: ...


class LastRead:
    """Finds out of twenty thousand series the few to read, by one look at each list of pending events.

    A series without pending events may have changed too: a writer folded them, or the series got an exemplar, or it
    began anew. Then it notes itself here, before its pending events are gone: so one of the two is always found.
    Increments by one leave no event, but shorten a chunk, and a look at each chunk shows that.

    lock: the family's, under which it says that children came or went.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._last: _Last | None = None
        self._former: Columns | None = None
        self._rounds = count()
        self._shown: object = None
        self._noted: set[_Child] | None = None
        self._changes = 0

    def note(self, child: _Child, reader: object = None) -> None:
        """The child may have changed.

        reader: the notes of the collection that reads the child at this moment. While these are the ones that count,
        nothing needs to be noted: what the child says now is what that collection takes for the last.
        """
        noted = self._noted
        # Without any, nobody relies on them, and they would hold a child that was removed.
        if noted is not None and noted is not reader:
            noted.add(child)

    def forget(self) -> None:
        """There are other children, or they began anew; the lock is held."""
        self._changes += 1
        if self._last is not None:
            self._former = self._last.lists
        self._last = self._noted = None

    def now(self, children: Mapping[Values, _Child], shown: object) -> Callable[[], Columns]:
        """What reads the series that there are now; the lock is held, and not for the reading.

        shown: what readings depend on besides. Where it is another than last time, all are read.
        """
        last = self._last
        if last is not None and shown == self._shown:
            return partial(self._alone, partial(self._again, last, self._changes), last)
        self.forget()
        self._shown = shown
        changes, values, series = -1, list[Values](), list[_Child]()
        while changes != self._changes:  # a signal handler or a finalizer had some come or go between the two lists
            changes, values, series = self._changes, [*children], [*children.values()]
        last = _Last(values, series, self._rounds)
        return partial(self._alone, partial(self._first, last, changes), last)

    def _alone(self, read: Callable[[], Columns], last: "_Last") -> Columns:
        """Read in that way, or every series where another collection is at it, maybe one that this interrupts."""
        turn = _Turn()
        with self._lock:
            is_ours = last.turn() is None
            if is_ours:
                last.turn = ref(turn)
        if not is_ours:
            return last.all()
        try:
            return read()
        except BaseException:  # one that was noted may not have been read
            with self._lock:
                self.forget()
            raise

    def _again(self, last: "_Last", changes: int) -> Columns:
        found = last.read()
        with self._lock:
            is_known = changes == self._changes
        # Else a series may have changed without a note where that reading looked.
        return found if is_known else last.all()

    def _first(self, last: "_Last", changes: int) -> Columns:
        last.all()  # folds what waits, which need not be noted
        with self._lock:
            if changes == self._changes:
                self._noted = last.noted
        found = last.begun(self._former)
        with self._lock:
            if changes == self._changes:
                self._last, self._former = last, None
        return found


class _Turn:
    """A collection that reads the series which may have changed.

    The turn is over when this object is gone: an exception out of a signal handler can come between a lock's taking
    and its giving back, and would leave the lock held for good.
    """

    __slots__ = ("__weakref__",)


def _nobody() -> None:
    return None


_UNKNOWN = (None, 0)


class _Last:
    """The children that there were, what a write to each leaves its trace in, and what each said, in the same order.

    A reading takes the place of the one before. So the memory of that one is free at once, and a hundred thousand
    new readings give the garbage collector no cause for a full pass.

    rounds: gives each collection of the family a number, which is that of the readings that are new in it.
    """

    def __init__(self, values: list[Values], children: list[_Child], rounds: Iterator[int]) -> None:
        self.noted: set[_Child] = set()
        self._values, self._children = values, children
        self._events = [child.pending.events for child in children]
        self._chunks: list[Iterator[bool]] = []
        self._left: list[int] = []
        self._readings: list[Any] = []
        self._rounds, self._versions = rounds, [next(rounds)] * len(children)
        self.turn: Callable[[], _Turn | None] = _nobody

    def all(self) -> Columns:
        """Every series."""
        return Columns(self._values, [child._read() for child in self._children])

    def begun(self, former: Columns | None) -> Columns:
        """Every series, to be read from now on where it may have changed.

        former: the series before some came or went. One that has the same reading keeps the number of that.
        """
        self._chunks = [chunk for child in self._children if (chunk := child._chunk) is not None]
        self._left = [*map(_left, self._chunks)]
        self._readings = self.all().readings
        if former is not None and former.versions is not None:
            known = dict(zip(former.values, zip(former.readings, former.versions, strict=True), strict=True))
            for at, values in enumerate(self._values):
                reading, version = known.get(values, _UNKNOWN)
                if reading is self._readings[at]:
                    self._versions[at] = version
        self.noted.update([child for child in self._children if child._is_restless])
        return self.found

    def read(self) -> Columns:
        """Every series, read where it may have changed: first by its events, which go after the note was made."""
        number, written, noted = next(self._rounds), self._written_to(), self._taken()
        for at in written:
            self._read_anew(self._children[at], at, number)
        if noted:
            places = {child: at for at, child in enumerate(self._children)}
            for child in noted:
                if child in places:  # one that was removed, and is written to, is not among them
                    self._read_anew(child, places[child], number)
                    if child._is_restless:
                        self.noted.add(child)
        return self.found

    @property
    def lists(self) -> Columns:
        """What they said last, as it is kept, at no cost for whoever adds a series."""
        return Columns(self._values, self._readings, self._versions)

    @property
    def found(self) -> Columns:
        """What they said last."""
        return Columns(self._values, [*self._readings], [*self._versions])  # copies, because these lists change

    def _written_to(self) -> list[int]:
        """The places of the children whose events wait, or whose chunks are shorter than they were."""
        found = [*compress(range(len(self._events)), self._events)]
        if self._chunks:
            found += compress(range(len(self._chunks)), map(ne, map(length_hint, self._chunks), self._left))
        return found

    def _read_anew(self, child: _Child, at: int, number: int) -> None:
        chunk = child._chunk
        if chunk is not None:  # before the reading, so that what comes amid it shows the next time
            self._chunks[at], self._left[at] = chunk, _left(chunk)
        reading = child._read(self.noted)
        if reading is not self._readings[at]:
            self._versions[at] = number
            self._readings[at] = reading

    def _taken(self) -> list[_Child]:
        """The children that have noted themselves, each of which does so again if it changes from now on."""
        taken = []
        while self.noted:
            taken.append(self.noted.pop())
        return taken


def _left(chunk: Iterator[bool]) -> int:
    """What is left of a chunk; of a full one a number that no chunk has, because another has taken its place."""
    return length_hint(chunk) or -1
