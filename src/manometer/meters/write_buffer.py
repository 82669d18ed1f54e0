"""Events of one series: written by one C call each, and folded into its figures in batches."""

from threading import RLock
from time import sleep
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from manometer.meters.fork import Forked, notice_aside, renewed_in_child
from manometer.meters.ones import Ticks

if TYPE_CHECKING:
    from weakref import ReferenceType

__all__ = ["PENDING_AT_MOST", "PENDING_LIMIT", "InFlight", "WriteBuffer"]

E = TypeVar("E")

PENDING_LIMIT = 256
"""Events a series holds before a writer folds them itself, whether anyone collects or not."""

PENDING_AT_MOST = 16 * PENDING_LIMIT
"""Events a series holds while another thread folds; from there on a writer lets that thread get on first."""

_PAUSE = 50e-6  # seconds: some folds long


class Folding(Protocol):
    """What has figures that its events are added to."""

    def _fold(self, reader: object) -> None:
        """Tell the family that the series may have changed, then take the events off. reader: see `LastRead.note`."""


class WriteBuffer(Generic[E]):
    """A write is `events.append`, which is atomic; whoever gets the lock folds what has come in.

    A writer that finds PENDING_LIMIT events calls `relieve`, which never waits for a fold: where
    another thread is at one, it leaves the events to it, and where that lags behind, it pauses.
    So a write is safe from a signal handler, a finalizer or a gc callback. These may collect too: one
    that interrupts a fold on its own thread does the whole of it, and leaves nothing to the interrupted one.

    series: its `_fold` works on copies of the figures, and puts them in place in one go with taking off the
    events that are in them and counting `version` up: with no call in between, where CPython runs
    no handler and no other thread. It does so only if `version` is what it was at its beginning.
    So whatever interrupts a fold, or ends it, costs no event.

    Within `with pending.lock`, after a `drain()`, the figures keep still but for such handlers.
    """

    __slots__ = ("_busy", "_series", "events", "lock", "version")

    def __init__(self, series: Folding) -> None:
        self.events: list[E] = []
        self.version = 0
        self._series = series  # and not its method, which would be one more object for each series
        self._busy = False
        self.lock = RLock()

    def relieve(self) -> None:
        """Fold what has come in, unless another thread is at it."""
        try:
            if not self._busy or self.lock._is_owned():  # type: ignore[attr-defined]
                # `with` on the lock itself: the one form in which an exception out of a signal handler cannot
                # come between the taking of the lock and the giving back.
                with self.lock:
                    self.drain()
            elif len(self.events) >= PENDING_AT_MOST:
                sleep(_PAUSE)
            notice_aside()
        except RecursionError:  # the writer is at the end of its stack; a later one folds these too
            pass

    def drain(self, reader: object = None) -> None:
        """Fold what has come in; the caller holds the lock. reader: see `LastRead.note`."""
        self._busy = True
        try:
            self._series._fold(reader)
        finally:
            self._busy = False

    def renew(self) -> None:
        """Drop what has come in, and be free: for a forked child."""
        self.free()
        self.version += 1
        self.events.clear()  # the very list, which the series' writers hold

    def free(self) -> None:
        """Be free, whichever thread was at a fold. One that still is does no harm: `version` has one fold win."""
        self.lock, self._busy = RLock(), False


class InFlight:
    """Runs under way: `began()` and `ended()` are a single C call each.

    A run that an object stands for is held instead. It is over with that object at the latest, so that a run
    whose end is never told is not counted for ever:

        runs.held.add(tie := weakref.ref(run, runs.held.discard))
        ...
        runs.held.discard(tie)

    A forked child has none of its parent's; one that the forking thread ends in there counts as none.
    """

    __slots__ = ("__weakref__", "_began", "_elsewhere", "_over", "began", "ended", "held")

    def __init__(self) -> None:
        self._began, self._over = Ticks(), Ticks()
        self._elsewhere = 0
        self.began, self.ended = self._began.tick, self._over.tick
        self.held: set[ReferenceType[Any]] = set()
        renewed_in_child(self)

    @property
    def value(self) -> int:
        """How many there are."""
        over = self._over.value  # read first, so that the difference is never negative
        running = self._began.value - over
        self._elsewhere = min(self._elsewhere, running)
        return running - self._elsewhere + len(self.held)

    def renew(self, _: Forked) -> None:
        """Take those of now for the parent's."""
        self._elsewhere = self._began.value - self._over.value
        self.held.clear()  # the very set, from which the parent's runs take themselves off
