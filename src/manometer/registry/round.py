"""One collection of a registry: what is left to be read, what is being read, and what has been told.

A round runs no code of the program's. Who calls it holds the lock of the registry's rounds, and gives the time.
"""

from collections import deque
from collections.abc import Iterable
from math import inf
from threading import TIMEOUT_MAX, Condition
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from manometer.errors import IncompleteError
from manometer.registry.collection import Told
from manometer.registry.found import Found
from manometer.registry.limits import Limits
from manometer.registry.place import place_of

__all__ = ["Entry", "Hanging", "Reading", "Round", "late"]

_ALONE = 0.2
"""Seconds that a collector may take until the others are read beside it."""
_EVERYTHING = 30.0
"""Seconds for one that tells of everything, as of a group of processes, where the scraper does not say how many."""


class Entry(NamedTuple):
    """A collector to be read. at: its place among them; tells_all: without it there is nothing to show."""

    at: int
    name: str
    collector: Collector
    tells_all: bool


class Reading:
    """A collector that is being read. until: when it is given up; thread: by which it is read."""

    def __init__(self, entry: Entry, began: float, until: float) -> None:
        self.entry, self.began, self.until = entry, began, until
        self.thread: int | None = None
        self.is_given_up = False

    @property
    def place(self) -> str:
        """Where in the program it is."""
        return "a place that is not known" if self.thread is None else place_of(self.thread)


Hanging = dict[int, Reading]
"""The readings that were given up and have not answered since, by the id of the collector: it is read by no other."""


class Round:
    """One collection, for who wants these names, and for who joins before it begins.

    registry: kept for as long as the round is under way; hanging: what all rounds of the registry share.
    keeper: the thread that takes care of it, of those that wait; kept: when it last did; others: wakes the rest of
    them; waiting: how many there are; first_until: when the first of them gives up; cost: seconds of the CPU that it
    took; missed: names of collectors that failed, and why, which nobody has told of yet.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        names: frozenset[str],
        limits: Limits,
        hanging: Hanging,
        others: Condition,
        until: float | None,
    ) -> None:
        self.registry, self.names, self.limits, self.others = registry, names, limits, others
        self.keeper: int | None = None
        self.kept = 0.0
        self.first_until = inf if until is None else until
        self.cost = 0.0
        self.waiting = 1
        self.told: dict[int, Told] = {}
        self.missed: deque[tuple[str, str]] = deque()
        self.found = Found()
        self.error: IncompleteError | None = None
        self.has_begun = self.is_gathering = self.has_ended = False
        self._hanging = hanging
        self._left: deque[Entry] = deque()
        self._under_way: dict[int, Reading] = {}
        self._held_up: dict[int, tuple[Entry, float]] = {}
        self._last_began = 0.0
        self._until: float | None = None
        self._has_threads = True

    def join(self, names: frozenset[str], limits: Limits, until: float | None) -> None:
        """One more waits, for these names, or for all where there are none; the round is for all that is wanted."""
        self.waiting += 1
        self.names = self.names | names if self.names and names else frozenset()
        self.limits = self.limits.wider(limits)
        self.first_until = min(self.first_until, inf if until is None else until)

    def begin(self, entries: Iterable[Entry], now: float) -> None:
        """These are to be read."""
        self._left.extend(entries)
        self._until = None if self.limits.all is None else now + self.limits.all
        self.has_begun = True

    @property
    def has_told(self) -> bool:
        """Whether there is nothing more to be read."""
        return self.has_begun and not (self._left or self._held_up or self._under_way)

    def may_go_on(self, now: float) -> bool:
        """Whether another thread is to read what is left, because none is at it, or that one takes its time."""
        beside = self._has_threads and now >= self._last_began + _ALONE
        return bool(self._left) and (not self._under_way or beside)

    def next_look(self, now: float, *moments: float | None) -> float | None:
        """In how many seconds somebody has to look to it, by one of these moments, if no collector answers before."""
        times = [each.until for each in self._under_way.values()]
        times += [patience for _, patience in self._held_up.values()]
        times += [each for each in moments if each is not None]
        times += [self._last_began + _ALONE] if self._left and self._has_threads else []
        return min(max(min(times) - now, 0.0), TIMEOUT_MAX) if times else None

    def following(self, now: float) -> Reading | None:
        """Begin with the next collector; one that hangs is waited for, to be read when it has answered."""
        while self._left:
            entry = self._left.popleft()
            earlier = self._hanging.get(id(entry.collector))
            if self._until is not None and now >= self._until:
                self._miss(entry, "its turn did not come in time")
            elif earlier is not None:
                self._held_up[entry.at] = entry, earlier.began + self.limits.each
            else:
                reading = self._under_way[entry.at] = Reading(entry, now, self._end_of(entry, now))
                self._last_began = now
                return reading
        return None

    def finds_no_thread(self, reading: Reading) -> bool:
        """Whether the caller is to read it itself, because there is no thread to be had, and none is at it."""
        self._has_threads = False
        if reading.is_given_up:
            self.answered_late(reading)
            return False
        if len(self._under_way) > 1:
            del self._under_way[reading.entry.at]
            self._left.appendleft(reading.entry)
            return False
        return True

    def take(self, reading: Reading, told: Told) -> None:
        """What the collector told."""
        del self._under_way[reading.entry.at]
        self.told[reading.entry.at] = told

    def miss(self, reading: Reading, why: str) -> None:
        """The collector told nothing."""
        del self._under_way[reading.entry.at]
        self._miss(reading.entry, why)

    def fail(self, reading: Reading, error: IncompleteError) -> None:
        """The collector said that nothing is to be shown."""
        del self._under_way[reading.entry.at]
        self._fail(error)

    def answered_late(self, reading: Reading) -> None:
        """A collector that was given up has answered."""
        self._hanging.pop(id(reading.entry.collector), None)

    def release(self, collector: Collector) -> None:
        """The collector does not hang any more, and is to be read."""
        for at, (entry, _) in list(self._held_up.items()):
            if entry.collector is collector:
                del self._held_up[at]
                self._left.append(entry)

    def give_up(self, now: float) -> None:
        """Give up what has not answered in its time."""
        for each in list(self._under_way.values()):
            if now >= each.until:
                self._abandon(each)
                self._miss(each.entry, f"it has not answered in time, and is at {each.place}")
        for at, (entry, patience) in list(self._held_up.items()):
            if now >= patience or (self._until is not None and now >= self._until):
                del self._held_up[at]
                self._miss(entry, "it has not answered yet")

    def end(self) -> None:
        """Nobody waits for what is still missing."""
        if self.has_ended:  # by an error: nothing of it is shown to anybody
            for each in list(self._under_way.values()):
                self._abandon(each)
            return
        self.give_up(inf)
        while self._left:
            self._miss(self._left.popleft(), "its turn did not come in time")

    def forget(self) -> None:
        """Keep nothing: a thread that hangs keeps the round."""
        self.told.clear()
        self.found = Found()

    def missing(self) -> list[Entry]:
        """What has not told yet."""
        under_way = [each.entry for each in self._under_way.values()]
        return [*self._left, *under_way, *(entry for entry, _ in self._held_up.values())]

    def _end_of(self, entry: Entry, now: float) -> float:
        """When it is given up, where it begins now."""
        if entry.tells_all:
            return now + _EVERYTHING if self._until is None else self._until
        until = now + self.limits.each
        return until if self._until is None else min(until, self._until)

    def _abandon(self, reading: Reading) -> None:
        reading.is_given_up = True
        del self._under_way[reading.entry.at]
        self._hanging[id(reading.entry.collector)] = reading

    def _miss(self, entry: Entry, why: str) -> None:
        if entry.tells_all:
            self._fail(late(entry))
        else:
            self.told[entry.at] = Told(entry.name, None)
            self.missed.append((entry.name, why))

    def _fail(self, error: IncompleteError) -> None:
        self.error = error
        self._left.clear()
        self._held_up.clear()


def late(entry: Entry) -> IncompleteError:
    """What is raised where the collector that tells of everything does not answer in time."""
    return IncompleteError(f"the figures of {entry.name} could not be had in time")
