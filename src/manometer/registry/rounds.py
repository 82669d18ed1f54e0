"""The collections of a registry, one after the other, with deadlines. Whoever waits for one takes care of it.

One thread reads the collectors in turn. Where one of them takes its time, another thread goes on with the rest, so
that slow ones are slow beside each other. No code of the program's runs while the lock is held.
"""

from collections.abc import Callable, Iterable
from functools import partial
from math import inf
from threading import Condition, Lock, get_ident
from time import monotonic, thread_time

from prometheus_client import CollectorRegistry

from manometer.background import in_background
from manometer.errors import IncompleteError
from manometer.registry.collection import COLLECTOR, Told, name_of, read, to_read, together
from manometer.registry.found import Found
from manometer.registry.limits import Limits, within
from manometer.registry.round import Entry, Hanging, Reading, Round, late
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Rounds"]

_OVERDUE = 1.0
"""Seconds after which another takes care of a round: who did may be in a signal handler."""


class Rounds:
    """The collections of a registry: at most one under way, and one to come."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._changed = Condition(self._lock)  # wakes who takes care of a round
        self._current: Round | None = None
        self._next: Round | None = None
        self._hanging: Hanging = {}
        self._began = self._ended = self._cost = 0.0  # of the last one

    def collect(self, registry: CollectorRegistry, names: frozenset[str], limits: Limits) -> Found:
        """What a collection finds that begins after this call; see collect_in_time."""
        until = None if limits.all is None else monotonic() + limits.all
        mine = self._join(registry, names, limits, until)
        try:
            while (task := self._task(mine, until)) is not None:
                task()
            return self._result(mine)
        finally:
            self._leave(mine)
            _tell(mine)

    # --- for who waits

    def _join(self, registry: CollectorRegistry, names: frozenset[str], limits: Limits, until: float | None) -> Round:
        with self._changed:
            if self._next is None:
                self._next = Round(registry, names, limits, self._hanging, Condition(self._lock), until)
                return self._next
            begins = self._begins(self._next)
            self._next.join(names, limits, until)
            if self._begins(self._next) < begins:
                self._changed.notify_all()
            return self._next

    def _leave(self, mine: Round) -> None:
        with self._changed:
            mine.waiting -= 1
            if mine.keeper == get_ident():
                mine.keeper = None
            if mine.waiting and not mine.has_ended:
                mine.others.notify()
                return
            mine.others.notify_all()
            mine.end()
            if self._next is mine:
                self._next = None
            if self._current is mine:
                self._current = None
                self._ended, self._cost = monotonic(), mine.cost
            if not mine.waiting:
                mine.forget()
            self._changed.notify_all()

    def _task(self, mine: Round, until: float | None) -> Callable[[], None] | None:
        """Wait for something to be done without the lock, and return it; None where the round or the time is over."""
        with self._changed:
            while not mine.has_ended:
                now = monotonic()
                if mine.keeper not in (None, get_ident()) and now < mine.kept + _OVERDUE:
                    if until is not None and now >= until:
                        break
                    mine.others.wait(min(_OVERDUE, inf if until is None else until - now))
                    continue
                mine.keeper, mine.kept = get_ident(), now
                if mine is self._current:
                    mine.give_up(now)
                    if mine.error is not None:
                        mine.has_ended = True
                        break
                    task = self._next_task(mine, now)
                    if task is not None:
                        return task
                elif self._current is None and now >= self._begins(mine):
                    self._current, self._began = mine, now
                    if self._next is mine:
                        self._next = None
                    return partial(self._begin, mine)
                if until is not None and now >= until:
                    break
                begins = self._begins(mine) if self._current is None else None
                self._changed.wait(mine.next_look(now, until, begins, now + _OVERDUE / 2))
        return None

    def _begins(self, mine: Round) -> float:
        """When that round may begin, where none is under way."""
        took = self._ended - self._began
        rested = self._ended + mine.limits.rest_after(took, self._cost)
        return max(self._ended, min(rested, mine.first_until - 2 * took))

    def _next_task(self, mine: Round, now: float) -> Callable[[], None] | None:
        if mine.has_told and not mine.is_gathering:
            mine.is_gathering = True
            return partial(self._gather, mine)
        if mine.may_go_on(now) and (reading := mine.following(now)) is not None:
            return partial(self._start, mine, reading)
        return None

    def _result(self, mine: Round) -> Found:
        """What was found; or what has been told, for one who cannot wait any longer."""
        with self._changed:
            if mine.error is not None:
                raise IncompleteError(*mine.error.args)
            if mine.has_ended:
                return mine.found
            if not mine.has_begun:
                raise IncompleteError("no collection could begin in time, because the one before has not ended")
            for entry in mine.missing():
                if entry.tells_all:
                    raise late(entry)
            told = _in_order(mine)
        return _together(mine, told)

    # --- tasks

    def _begin(self, mine: Round) -> None:
        try:
            entries = [
                Entry(at, name_of(each), each, getattr(each, "tells_all", False))
                for at, each in enumerate(to_read(mine.registry, mine.names))
            ]
        except BaseException:  # it is for this one to hear; another who waits may try
            with self._changed:
                self._current = None
                self._changed.notify_all()
            raise
        with self._changed:
            mine.begin(entries, monotonic())
            self._changed.notify_all()

    def _gather(self, mine: Round) -> None:
        began = thread_time()
        try:
            found = _together(mine, _in_order(mine))
        except BaseException:
            with self._changed:
                mine.is_gathering = False
                self._changed.notify_all()
            raise
        with self._changed:
            mine.found, mine.has_ended = found, True
            mine.cost += thread_time() - began
            self._changed.notify_all()

    def _start(self, mine: Round, reading: Reading) -> None:
        """Read it and what is left in a thread; where none can be had, here, unless another thread is at it."""
        try:
            in_background(partial(self._run, mine, reading), "manometer-collect")
        except RuntimeError:
            with self._changed:
                is_mine = mine.finds_no_thread(reading)
                if is_mine:  # whoever else waits is to give it up in time
                    mine.keeper = None
                    mine.others.notify()
            if is_mine:
                self._run(mine, reading)

    def _run(self, mine: Round, reading: Reading | None) -> None:
        """Read one collector after the other."""
        while reading is not None:
            began = thread_time()
            reading.thread = get_ident()
            with within(reading.until):
                try:
                    told = partial(mine.take, reading, read(mine.registry, reading.entry.collector))
                except IncompleteError as error:
                    told = partial(mine.fail, reading, error)
                except BaseException as ending:
                    why = f"{type(ending).__qualname__} ended its thread"
                    self._answered(mine, reading, partial(mine.miss, reading, why), goes_on=False)
                    raise
            mine.cost += thread_time() - began  # two threads at one moment may lose some of it, which is no harm
            reading = self._answered(mine, reading, told)

    def _answered(
        self, mine: Round, reading: Reading, told: Callable[[], None], *, goes_on: bool = True
    ) -> Reading | None:
        """Take what a collector told, where that is still waited for, and begin with the next, where this goes on."""
        with self._changed:
            following = None
            if reading.is_given_up:
                mine.answered_late(reading)
                if self._current is not None:
                    self._current.release(reading.entry.collector)
            else:
                told()
                following = mine.following(monotonic()) if goes_on else None
            if following is None or mine.error is not None:
                self._changed.notify_all()
            return following


def _in_order(mine: Round) -> list[Told]:
    return [told for _, told in sorted(mine.told.items())]


def _together(mine: Round, told: Iterable[Told]) -> Found:
    return Found(together(mine.registry, mine.names, told))


def _tell(mine: Round) -> None:
    """Count and log what was missed; without the lock, because a log may take its time."""
    while True:
        try:
            name, why = mine.missed.popleft()
        except IndexError:  # another who waited was faster
            return
        try:
            raise TimeoutError(why)
        except TimeoutError:
            SelfMetrics.of(mine.registry).failed(name, COLLECTOR)
