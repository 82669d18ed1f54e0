"""The health checks of one registry: what runs them in the background, and their figures."""

import logging
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event, RLock, Thread
from time import monotonic

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.background import in_background
from manometer.catalogue import health as rows
from manometer.health.check_state import Check
from manometer.health.lifecycle import Lifecycle
from manometer.meters.fork import Forked, freed_in_child, notice, renewed_in_child
from manometer.meters.metric_view import MetricView
from manometer.registry.catalogued import described, pulled

__all__ = ["Checks"]

INTERVAL = 30.0
"""Seconds between two runs of a check where neither it nor the settings say otherwise."""

AT_ONCE = 8
"""Checks that run at the same time, those aside that have outlasted their time-out."""
AT_MOST = 40
"""Checks that run at the same time, with those that have outlasted their time-out: there are no more threads."""

_log = logging.getLogger("manometer")


class Checks(Collector):
    """The checks of one registry, what runs them, their figures, and the phase that the program is in.

    clock: seconds, monotonic; spawn: runs a function aside from the caller.
    """

    collector_name = "health"

    def __init__(
        self, clock: Callable[[], float] = monotonic, spawn: Callable[[Callable[[], None]], None] | None = None
    ) -> None:
        self.clock = clock
        self.interval = INTERVAL
        self.lifecycle = Lifecycle()
        self._spawn = spawn or _in_thread
        self._checks: dict[str, Check] = {}
        self._thread: Thread | None = None
        self._wake: Event
        self.renew(Forked.AT_ONCE)
        renewed_in_child(self)

    @classmethod
    def on(cls, registry: CollectorRegistry) -> "Checks":
        """The registry's checks, made and registered where it has none."""
        notice()
        with _lock:
            checks = _by_registry.get(registry)
            if checks is None:
                checks = cls()
                registry.register(checks)
                _by_registry[registry] = checks
            return checks

    def add(self, check: Check) -> Check:
        """Take a check in, in the place of one of that name."""
        notice()
        with self._lock:
            self._checks[check.name] = check
        self._wake.set()
        return check

    def remove(self, check: Check) -> None:
        """Forget that very check, unless another has taken its place."""
        notice()
        with self._lock:
            if self._checks.get(check.name) is check:
                del self._checks[check.name]

    def all(self) -> list[Check]:
        """Every check, in the order in which their names came."""
        with self._lock:
            return list(self._checks.values())

    def start(self, interval: float | None = None) -> None:
        """Run the checks from a background thread, which there is only one of however often this is called.

        interval: of the checks that have none of their own; None leaves that of a running thread as it is.
        """
        notice()
        with self._lock:
            if interval is not None:
                self.interval = interval
                self._wake.set()
            if self._thread is None:
                self._thread = in_background(partial(self._loop, self._wake), "manometer-health", self.stop)

    def stop(self) -> None:
        """Run no further check; what has been found stays, and ages."""
        notice()
        with self._lock:
            thread, self._thread = self._thread, None
            wake = self._wake
            self._wake = Event()
            self.interval = INTERVAL
        wake.set()
        if thread is not None:
            thread.join()

    def run_due(self) -> None:
        """Start what is due, while there is room; one still under way is told of once it is late."""
        now = self.clock()
        checks = self.all()
        room = self._room(checks, now)
        for each in sorted(
            checks, key=lambda check: check._next
        ):  # whose time came first; else the last would starve
            if now < each._next:
                continue
            if each._running:
                each._tell()
                continue
            if room <= 0:  # the end of another is waited for
                continue
            room -= 1
            try:
                each._begin(now, self._spawn)
            except Exception:  # no thread to be had: the next round tries again
                _log.exception("health check %r could not be started", each.name)

    def ended(self) -> None:
        """A run ended, so its check has a next time again."""
        self._wake.set()

    def renew(self, _: Forked) -> None:
        """Begin without a thread and without results, as at first and in a forked child."""
        self._lock = RLock()
        self._wake = Event()
        self._thread = None
        for each in self._checks.values():
            each._renew()
            each._execution.leave_loop()

    def describe(self) -> Iterable[Metric]:
        return described(rows.SPECS)

    def collect(self) -> Iterable[Metric]:
        now = self.clock()
        return map(MetricView, pulled(figure for each in self.all() for figure in each._figures(now)))

    def _loop(self, wake: Event) -> None:
        """Go on for as long as that event is the one in use: `stop` puts another in its place."""
        wake.clear()
        while self._wake is wake:
            self.run_due()
            wake.wait(self._until_next())
            wake.clear()

    def _until_next(self) -> float:
        now = self.clock()
        checks = self.all()
        has_room = self._room(checks, now) > 0
        due = [now + self.interval, *(each._next for each in checks if has_room or each._running or each._next > now)]
        if not has_room:
            due += [each._late_at for each in checks if each._running and not each._is_late(now)]
        return max(min(due) - now, 0.0)

    def _room(self, checks: Iterable[Check], now: float) -> int:
        """How many more may be started."""
        running = [each for each in checks if each._running]
        return min(AT_ONCE - sum(not each._is_late(now) for each in running), AT_MOST - len(running))


def _in_thread(run: Callable[[], None]) -> None:
    in_background(run, "manometer-check")


_by_registry: weakref.WeakKeyDictionary[CollectorRegistry, Checks] = weakref.WeakKeyDictionary()
_lock = freed_in_child(RLock())
