"""The collections of a registry, one after the other, with deadlines. Whoever waits for one takes care of it.

One thread reads the collectors in turn. Where one of them takes its time, another thread goes on with the rest, so
that slow ones are slow beside each other. No code of the program's runs while the lock is held.
"""

import sys
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from threading import Condition, Lock, get_ident
from time import monotonic
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from manometer.background import in_background
from manometer.errors import IncompleteError
from manometer.meters.fork import Forked, called_in_child
from manometer.registry.collection import COLLECTOR, Collected, Told, name_of, read, to_read, together
from manometer.registry.limits import Limits, within
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Found", "Rounds"]

_ALONE = 0.2
"""Seconds that a collector may take until the others are read beside it."""
_EVERYTHING = 30.0
"""Seconds for one that tells of everything, as of a group of processes, where the scraper does not say how many."""

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


class _Entry(NamedTuple):
    """A collector to be read. at: its place among them; tells_all: without it there is nothing to show."""

    at: int
    name: str
    collector: Collector
    tells_all: bool


class _Reading:
    """A collector that is being read. until: when it is given up."""

    def __init__(self, entry: _Entry, began: float, until: float) -> None:
        self.entry, self.began, self.until = entry, began, until
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
        self.left: deque[_Entry] = deque()
        self.told: dict[int, Told] = {}
        self.under_way: dict[int, _Reading] = {}
        self.last_began = 0.0
        self.until: float | None = None
        self.found = Found()
        self.error: IncompleteError | None = None
        self.has_begun = self.is_gathering = self.has_ended = False
        self.has_threads = True

    @property
    def has_told(self) -> bool:
        """Whether there is nothing more to be read."""
        return self.has_begun and not self.left and not self.under_way

    def may_go_on(self, now: float) -> bool:
        """Whether another thread is to read what is left, because none is at it, or that one takes its time."""
        beside = self.has_threads and now >= self.last_began + _ALONE
        return bool(self.left) and (not self.under_way or beside)

    def next_look(self, now: float, until: float | None) -> float | None:
        """In how many seconds somebody has to look to it, if no collector answers before."""
        times = [each.until for each in self.under_way.values()]
        times += [] if until is None else [until]
        times += [self.last_began + _ALONE] if self.left and self.has_threads else []
        return max(min(times) - now, 0.0) if times else None


class Rounds:
    """The collections of a registry for the same names: at most one under way, and one to come."""

    def __init__(self, registry: CollectorRegistry, names: frozenset[str]) -> None:
        self._registry, self._names = registry, names
        self._changed = Condition(Lock())
        self._current: _Round | None = None
        self._next: _Round | None = None
        self._missed: deque[tuple[str, str]] = deque()

    @property
    def are_over(self) -> bool:
        """Whether nobody waits."""
        return self._current is None and self._next is None

    def collect(self, limits: Limits) -> Found:
        """What a collection finds that begins after this call; see collect_in_time."""
        until = None if limits.all is None else monotonic() + limits.all
        mine = self._join(limits)
        try:
            while (task := self._task(mine, until)) is not None:
                task()
            return self._result(mine)
        finally:
            self._leave(mine)
            self._tell()

    # --- for who waits

    def _join(self, limits: Limits) -> _Round:
        with self._changed:
            if self._next is None:
                self._next = _Round(limits)
            else:
                self._next.limits = self._next.limits.wider(limits)
            self._next.waiting += 1
            return self._next

    def _leave(self, mine: _Round) -> None:
        with self._changed:
            mine.waiting -= 1
            if mine.waiting and not mine.has_ended:
                return
            for each in list(mine.under_way.values()):
                self._abandon(mine, each, is_missed=not mine.has_ended)
            while mine.left:
                self._miss(mine, mine.left.popleft(), "its turn did not come in time")
            if self._next is mine:
                self._next = None
            if self._current is mine:
                self._current = None
            if not mine.waiting:  # a collector that hangs keeps the round
                mine.told.clear()
                mine.found = Found()
            self._changed.notify_all()

    def _task(self, mine: _Round, until: float | None) -> Callable[[], None] | None:
        """Wait for something to be done without the lock, and return it; None where the round or the time is over."""
        with self._changed:
            while not mine.has_ended:
                now = monotonic()
                if mine is self._current:
                    self._give_up(mine, now)
                    if mine.error is not None:
                        mine.has_ended = True
                        break
                    task = self._next_task(mine, now)
                    if task is not None:
                        return task
                elif self._current is None:
                    self._current = mine
                    if self._next is mine:
                        self._next = None
                    return partial(self._begin, mine)
                if until is not None and now >= until:
                    break
                if not mine.has_told or mine.is_gathering:
                    self._changed.wait(mine.next_look(now, until))
        return None

    def _next_task(self, mine: _Round, now: float) -> Callable[[], None] | None:
        if mine.has_told and not mine.is_gathering:
            mine.is_gathering = True
            return partial(self._gather, mine)
        if mine.may_go_on(now) and (reading := self._following(mine)) is not None:
            return partial(self._start, mine, reading)
        return None

    def _result(self, mine: _Round) -> Found:
        """What was found; or what has been told, for one who cannot wait any longer."""
        with self._changed:
            if mine.error is not None:
                raise IncompleteError(*mine.error.args)
            if mine.has_ended:
                return mine.found
            if not mine.has_begun:
                raise IncompleteError("no collection could begin in time, because the one before has not ended")
            missing = [*mine.left, *(each.entry for each in mine.under_way.values())]
            names = [each.name for each in missing if each.tells_all]
            if names:
                raise _late(names[0])
            told = self._told(mine)
        return self._together(told)

    # --- tasks

    def _begin(self, mine: _Round) -> None:
        entries = []
        try:
            for at, each in enumerate(to_read(self._registry, self._names)):
                entries.append(_Entry(at, name_of(each), each, getattr(each, "tells_all", False)))
        except BaseException:  # it is for this one to hear; another who waits may try
            with self._changed:
                self._current = None
                self._changed.notify_all()
            raise
        with self._changed:
            mine.left.extend(entries)
            mine.until = None if mine.limits.all is None else monotonic() + mine.limits.all
            mine.has_begun = True
            self._changed.notify_all()

    def _gather(self, mine: _Round) -> None:
        try:
            found = self._together(self._told(mine))
        except BaseException:
            with self._changed:
                mine.is_gathering = False
                self._changed.notify_all()
            raise
        with self._changed:
            mine.found, mine.has_ended = found, True
            self._changed.notify_all()

    def _start(self, mine: _Round, reading: _Reading) -> None:
        """Read it and what is left in a thread; where none can be had, here, unless another thread is at it."""
        try:
            in_background(partial(self._run, mine, reading), "manometer-collect")
        except RuntimeError:
            with self._changed:
                mine.has_threads = False
                is_alone = len(mine.under_way) == 1
                if not is_alone:
                    del mine.under_way[reading.entry.at]
                    mine.left.appendleft(reading.entry)
            if is_alone:
                self._run(mine, reading)

    def _run(self, mine: _Round, reading: _Reading | None) -> None:
        """Read one collector after the other."""
        while reading is not None:
            reading.thread = get_ident()
            name, error = reading.entry.name, None
            with within(reading.until):
                try:
                    told = read(self._registry, reading.entry.collector)
                except IncompleteError as incomplete:
                    told, error = Told(name, None), incomplete
                except BaseException as ending:
                    self._missed.append((name, f"{type(ending).__qualname__} ended its thread"))
                    self._take(mine, reading, Told(name, None), goes_on=False)
                    raise
            reading = self._take(mine, reading, told, error, goes_on=True)
            self._tell()

    def _tell(self) -> None:
        """Count and log what was missed; without the lock, because a log may take its time."""
        while self._missed:
            name, why = self._missed.popleft()
            try:
                raise TimeoutError(why)
            except TimeoutError:
                SelfMetrics.of(self._registry).failed(name, COLLECTOR)

    def _together(self, told: Iterable[Told]) -> Found:
        return Found(together(self._registry, self._names, told))

    # --- the lock is held, or taken, in these

    def _told(self, mine: _Round) -> list[Told]:
        return [told for _, told in sorted(mine.told.items())]

    def _following(self, mine: _Round) -> _Reading | None:
        """Begin with the next collector that does not hang."""
        while mine.left:
            entry, now = mine.left.popleft(), monotonic()
            if mine.until is not None and now >= mine.until:
                self._miss(mine, entry, "its turn did not come in time")
            elif _hangs(self._registry, entry.collector, now - mine.limits.each):
                self._miss(mine, entry, "it has not answered yet")
            else:
                until = now + (_EVERYTHING if entry.tells_all else mine.limits.each)
                if mine.until is not None:
                    until = mine.until if entry.tells_all else min(until, mine.until)
                reading = mine.under_way[entry.at] = _Reading(entry, now, until)
                mine.last_began = now
                return reading
        return None

    def _take(
        self, mine: _Round, reading: _Reading, told: Told, error: IncompleteError | None = None, *, goes_on: bool
    ) -> _Reading | None:
        """Take what a collector told, if that is still waited for, and begin with the next where this goes on."""
        with self._changed:
            if reading.given_up:
                _answers(self._registry, reading)
                return None
            del mine.under_way[reading.entry.at]
            mine.told[reading.entry.at] = told
            if error is not None:  # what else there is would not be shown
                mine.error = error
                mine.left.clear()
            following = self._following(mine) if goes_on else None
            if following is None or mine.error is not None:
                self._changed.notify_all()
            return following

    def _give_up(self, mine: _Round, now: float) -> None:
        for each in list(mine.under_way.values()):
            if now >= each.until:
                self._abandon(mine, each, is_missed=True)

    def _abandon(self, mine: _Round, reading: _Reading, *, is_missed: bool) -> None:
        reading.given_up = True
        del mine.under_way[reading.entry.at]
        _hanging.setdefault(self._registry, {}).setdefault(id(reading.entry.collector), set()).add(reading)
        if is_missed:
            self._miss(mine, reading.entry, f"it has not answered in time, and is at {reading.place}")

    def _miss(self, mine: _Round, entry: _Entry, why: str) -> None:
        if entry.tells_all:
            mine.error = _late(entry.name)
            return
        mine.told[entry.at] = Told(entry.name, None)
        self._missed.append((entry.name, why))


def _late(name: str) -> IncompleteError:
    return IncompleteError(f"the figures of {name} could not be had in time")


def _hangs(registry: CollectorRegistry, collector: Collector, since: float) -> bool:
    """Whether the collector has been given up, and has been at it since then and before."""
    return any(each.began <= since for each in list(_hanging.get(registry, {}).get(id(collector), ())))


def _answers(registry: CollectorRegistry, reading: _Reading) -> None:
    """A collector that was given up has answered at last."""
    by_collector = _hanging.get(registry, {})
    readings = by_collector.get(id(reading.entry.collector), set())
    readings.discard(reading)
    if not readings:
        by_collector.pop(id(reading.entry.collector), None)


_hanging: WeakKeyDictionary[CollectorRegistry, dict[int, set[_Reading]]] = WeakKeyDictionary()
"""Collectors that were given up, and have not answered since."""


@called_in_child
def _forget(_: Forked) -> None:
    """The threads that were reading are the parent's."""
    _hanging.clear()
