"""A collection that ends in time, whatever a collector does: one that hangs loses its own series, and no others."""

import sys
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Lock, RLock, get_ident, local
from time import monotonic
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from manometer.background import in_background
from manometer.errors import IncompleteError
from manometer.meters.fork import Forked, called_in_child, freed_in_child, notice
from manometer.registry.collection import COLLECTOR, Collected, Told, name_of, read, to_read, together
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["PATIENCE", "Found", "Limits", "collect_in_time"]

PATIENCE = 5.0
"""Seconds that a collector may take."""
_ALONE = 0.2
"""Seconds that a collector may take until the others are read beside it."""
_SHARE = 0.9
"""Of the time that a collector has, what it leaves to those that it reads itself, as that of a group does."""


class Limits(NamedTuple):
    """Seconds that each collector may take, and that all may take together, None where there is no end to that."""

    each: float = PATIENCE
    all: float | None = None


_USUAL = Limits()

M = TypeVar("M")


class Found(list[Collected]):
    """What a collection found, for all who share it, and what one of them made of it for the others."""

    def __init__(self, families: Iterable[Collected] = ()) -> None:
        super().__init__(families)
        self._made: dict[Hashable, Any] = {}
        self._lock = Lock()

    def once(self, key: Hashable, make: Callable[[], M]) -> M:
        """What `make` returns, called by the first who asks for this key; the others wait for it."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            made: M = self._made[key]
        return made


def collect_in_time(registry: CollectorRegistry, names: Collection[str] = (), limits: Limits = _USUAL) -> Found:
    """Read the registry as `collect` does, and wait for no collector longer than the limits say.

    One that does not answer in time loses its own families, as one that raises does. It is named in the log, and not
    read again until it has answered. All who ask for the same names amid a collection share the next one.
    Raises IncompleteError where a collector does, and where the collection before this takes all of the time.
    """
    notice()
    with _lock:
        rounds = _rounds.setdefault(registry, {}).setdefault(frozenset(names), _Rounds(registry, frozenset(names)))
    try:
        return rounds.collect(_inner(limits))
    finally:
        with _lock:
            if rounds.are_over and _rounds.get(registry, {}).get(rounds.names) is rounds:
                del _rounds[registry][rounds.names]


class _Reading:
    """A collector that is being read. until: when it is given up."""

    def __init__(self, at: int, collector: Collector, until: float) -> None:
        self.at, self.collector, self.until = at, collector, until
        self.thread: int | None = None
        self.given_up = False

    @property
    def place(self) -> str:
        """Where in the program it is."""
        frame = None if self.thread is None else sys._current_frames().get(self.thread)
        return f"line {frame.f_lineno} of {frame.f_code.co_filename}" if frame else "a place that is not known"


class _Round:
    """One collection. waiting: how many wait for it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.waiting = 0
        self.left: deque[tuple[int, Collector]] = deque()
        self.told: dict[int, Told] = {}
        self.under_way: dict[int, _Reading] = {}
        self.last_began = 0.0
        self.until: float | None = None
        self.found = Found()
        self.error: IncompleteError | None = None
        self.has_ended = False
        self.has_threads = True

    def begin(self, collectors: list[Collector]) -> None:
        """Read these from now on."""
        self.left.extend(enumerate(collectors))
        self.until = _after(self.limits.all)

    def next_look(self, until: float | None) -> float:
        """When somebody has to look to it, if no collector answers before."""
        times = [each.until for each in self.under_way.values()]
        times += [] if until is None else [until]
        times += [self.last_began + _ALONE] if self.left and self.has_threads else []
        return min(times)


class _Rounds:
    """The collections of a registry, one after the other, of which those who wait for them take care.

    One thread reads the collectors in turn. Where one of them takes its time, another thread goes on with the rest,
    so that slow ones are slow beside each other.
    """

    def __init__(self, registry: CollectorRegistry, names: frozenset[str]) -> None:
        self.names = names
        self._registry = registry
        self._changed = Condition(Lock())
        self._current: _Round | None = None
        self._next: _Round | None = None

    @property
    def are_over(self) -> bool:
        """Whether nobody waits."""
        return self._current is None and self._next is None

    def collect(self, limits: Limits) -> Found:
        """What a collection finds that begins after this call; see collect_in_time."""
        until = _after(limits.all)
        with self._changed:
            mine = self._join(limits)
            mine.waiting += 1
            try:
                while not mine.has_ended:
                    if until is not None and monotonic() >= until:
                        return self._so_far(mine)
                    self._look_to(mine, until)
            finally:
                mine.waiting -= 1
                if not mine.waiting or mine.has_ended:
                    self._leave(mine)
        if mine.error is not None:
            raise IncompleteError(*mine.error.args)
        return mine.found

    def _join(self, limits: Limits) -> _Round:
        if self._current is None:
            self._current = _Round(limits)
            self._current.begin(to_read(self._registry, self.names))
            return self._current
        if self._next is None:
            self._next = _Round(limits)
        return self._next

    def _leave(self, ended: _Round) -> None:
        """Nobody waits for it any more; or it has a result, and the next may begin."""
        for each in list(ended.under_way.values()):
            self._give_up(ended, each)
        while ended.left:
            self._miss(ended, *ended.left.popleft(), "its turn did not come in time")
        if self._next is ended:
            self._next = None
        if self._current is ended:
            self._current, self._next = self._next, None
            if self._current is not None:
                self._current.begin(to_read(self._registry, self.names))
        self._changed.notify_all()

    def _look_to(self, mine: _Round, until: float | None) -> None:
        """Do what there is to do, or wait until there is."""
        now = monotonic()
        if mine is not self._current:
            self._changed.wait(None if until is None else max(until - now, 0.0))
            return
        for each in list(mine.under_way.values()):
            if now >= each.until:
                self._give_up(mine, each)
        if not mine.left and not mine.under_way:
            if mine.error is None:
                mine.found = self._together(mine)
            mine.has_ended = True
        elif mine.left and (not mine.under_way or (mine.has_threads and now >= mine.last_began + _ALONE)):
            self._go_on(mine)
        else:
            self._changed.wait(max(mine.next_look(until) - now, 0.0))

    def _so_far(self, mine: _Round) -> Found:
        """What has been told, for one who cannot wait any longer."""
        if mine is not self._current:
            raise IncompleteError("no collection could begin in time, because the one before has not ended")
        return self._together(mine)

    def _together(self, mine: _Round) -> Found:
        return Found(together(self._registry, self.names, [told for _, told in sorted(mine.told.items())]))

    def _go_on(self, mine: _Round) -> None:
        """Read what is left in a thread; where none can be had, here, unless another thread is at it."""
        reading = self._following(mine)
        if reading is None:
            return
        try:
            in_background(lambda: self._run(mine, reading), "manometer-collect")
        except RuntimeError:
            mine.has_threads = False
            if len(mine.under_way) > 1:
                del mine.under_way[reading.at]
                mine.left.appendleft((reading.at, reading.collector))
                return
            self._changed.release()
            try:
                self._run(mine, reading)
            finally:
                self._changed.acquire()

    def _following(self, mine: _Round) -> _Reading | None:
        """Begin with the next collector that does not hang; the lock is held."""
        hanging = _hanging.get(self._registry, {})
        while mine.left:
            at, collector = mine.left.popleft()
            now = monotonic()
            if mine.until is not None and now >= mine.until:
                self._miss(mine, at, collector, "its turn did not come in time")
            elif id(collector) in hanging:
                self._miss(mine, at, collector, "it has not answered yet")
            else:
                until = now + mine.limits.each
                until = until if mine.until is None else min(until, mine.until)
                reading = mine.under_way[at] = _Reading(at, collector, until)
                mine.last_began = now
                return reading
        return None

    def _run(self, mine: _Round, reading: _Reading | None) -> None:
        """Read one collector after the other."""
        while reading is not None:
            reading.thread = get_ident()
            error = None
            with _within(reading.until):
                try:
                    told = read(self._registry, reading.collector)
                except IncompleteError as incomplete:
                    told, error = Told("", None), incomplete
                except BaseException:
                    self._failed(reading.collector)
                    with self._changed:
                        self._take(mine, reading, Told(name_of(reading.collector), None))
                    raise
            with self._changed:
                if error is not None and not reading.given_up:  # what else there is would not be shown
                    mine.error = error
                    mine.left.clear()
                is_done = self._take(mine, reading, told)
                reading = None if is_done else self._following(mine)

    def _take(self, mine: _Round, reading: _Reading, told: Told) -> bool:
        """Take what a collector told, if that is still waited for; whether it is not. The lock is held."""
        if reading.given_up:
            _hanging.get(self._registry, {}).pop(id(reading.collector), None)
        else:
            del mine.under_way[reading.at]
            mine.told[reading.at] = told
            self._changed.notify_all()
        return reading.given_up

    def _give_up(self, mine: _Round, reading: _Reading) -> None:
        reading.given_up = True
        del mine.under_way[reading.at]
        _hanging.setdefault(self._registry, {})[id(reading.collector)] = reading
        self._miss(mine, reading.at, reading.collector, f"it has not answered in time, and is at {reading.place}")

    def _miss(self, mine: _Round, at: int, collector: Collector, why: str) -> None:
        mine.told[at] = Told(name_of(collector), None)
        what = COLLECTOR
        with suppress(Exception):
            what = str(collector)
        try:
            raise TimeoutError(f"{what}: {why}")
        except TimeoutError:
            self._failed(collector)

    def _failed(self, collector: Collector) -> None:
        SelfMetrics.of(self._registry).failed(name_of(collector), COLLECTOR)


def _after(seconds: float | None) -> float | None:
    return None if seconds is None else monotonic() + seconds


@contextmanager
def _within(until: float) -> Iterator[None]:
    """What the collector that is read in this block collects itself has to be there before that time."""
    before = getattr(_time, "until", None)
    _time.until = until
    try:
        yield
    finally:
        _time.until = before


def _inner(limits: Limits) -> Limits:
    until = getattr(_time, "until", None)
    if until is None:
        return limits
    left = max(until - monotonic(), 0.0) * _SHARE
    return Limits(min(limits.each, left), left if limits.all is None else min(limits.all, left))


_time = local()
_rounds: WeakKeyDictionary[CollectorRegistry, dict[frozenset[str], _Rounds]] = WeakKeyDictionary()
_hanging: WeakKeyDictionary[CollectorRegistry, dict[int, _Reading]] = WeakKeyDictionary()
"""Collectors that were given up, and have not answered since."""
_lock = freed_in_child(RLock())  # a signal handler may come amid anything, and write


@called_in_child
def _forget(_: Forked) -> None:
    """The threads that were reading are the parent's."""
    _rounds.clear()
    _hanging.clear()
