"""Health checks: named functions that say whether something works, run in the background, results kept."""

import inspect
import logging
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event, RLock, Thread
from time import monotonic
from typing import Any, NamedTuple, Self

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.catalogue import health as rows
from manometer.errors import BindingError
from manometer.meters.catalogued import Pulled, family, pulled
from manometer.meters.fork import Forked, freed_in_child, notice, renewed_in_child

__all__ = ["Check", "Checks", "check"]

INTERVAL = 30.0
"""Seconds between two runs of a check where neither it nor the settings say otherwise."""

_log = logging.getLogger("manometer")


def check(
    name: str,
    function: Callable[[], Any],
    *,
    critical: bool = True,
    interval: float | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> "Check":
    """Have a started Manometer run `function` every so often, in the place of any check of that name.

    function: returns None or True when all is well; False, a reason as text, or an exception is a
    failure. It runs in a thread of its own and never twice at once.
    critical: whether the program is not ready while the check fails, or has not run yet.
    interval: seconds from the start of a run to the next one's; by default the settings' `health_interval`.
    Raises BindingError where the name is empty or the function is async.
    """
    if not isinstance(name, str) or not name:
        raise BindingError(f"the name of a health check is {name!r}; give it a short name, as text")
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise BindingError(f"health check {name!r} is no plain function; pass one that returns None or a reason")
    if interval is not None and not interval > 0:
        raise BindingError(f"health check {name!r} has the interval {interval!r}; pass seconds over 0")
    checks = Checks.on(registry)
    return checks.add(Check(checks, name, function, critical, interval))


class _Result(NamedTuple):
    problem: str | None
    duration: float
    ended: float


class Check:
    """One registered check; `close()` takes it off."""

    def __init__(
        self, checks: "Checks", name: str, function: Callable[[], Any], critical: bool, interval: float | None
    ) -> None:
        self.name, self.critical, self.interval = name, critical, interval
        self._checks = checks
        self._function = function
        self._result: _Result | None = None
        self._started: float | None = None
        self._running = False

    @property
    def problem(self) -> str | None:
        """Why the check is not well, or None; one that has not run yet is not well."""
        result = self._result
        return "unknown, it has not run yet" if result is None else result.problem

    def close(self) -> None:
        """Take the check off; a second call does nothing."""
        self._checks.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- for Checks

    def _due(self, interval: float) -> float:
        return 0.0 if self._started is None else self._started + (self.interval or interval)

    def _run(self, clock: Callable[[], float]) -> None:
        before, started = self.problem if self._result else None, clock()
        problem: str | None = "failed, and cannot say how"
        try:
            problem = self._outcome()
        finally:  # whatever came of it, the check has a next time
            ended = clock()
            self._result = _Result(problem, ended - started, ended)
            self._running = False
            self._checks.ended()
        if problem is not None and before is None:
            _log.warning("health check %r fails: %s", self.name, problem)
        elif problem is None and before is not None:
            _log.info("health check %r is well again", self.name)

    def _outcome(self) -> str | None:
        try:
            return _problem(self._function())
        except BaseException as error:  # SystemExit too: it would end the thread without a word
            return f"{type(error).__qualname__}: {_told(error)}"

    def _figures(self, now: float) -> list[Pulled]:
        result = self._result
        if result is None:
            return []
        labels = {"check": self.name, "critical": "true" if self.critical else "false"}
        return [
            (rows.UP, labels, float(result.problem is None)),
            (rows.DURATION, labels, result.duration),
            (rows.AGE, labels, now - result.ended),
        ]


class Checks(Collector):
    """The checks of one registry, what runs them, and their figures.

    clock: seconds, monotonic; spawn: runs a function aside from the caller.
    """

    collector_name = "health"

    def __init__(
        self, clock: Callable[[], float] = monotonic, spawn: Callable[[Callable[[], None]], None] | None = None
    ) -> None:
        self._clock = clock
        self._spawn = spawn or _in_thread
        self._checks: dict[str, Check] = {}
        self._interval = INTERVAL
        self._thread: Thread | None = None
        self._wake: Event
        self.renew(Forked.AT_ONCE)
        renewed_in_child(self)

    @classmethod
    def on(cls, registry: CollectorRegistry) -> "Checks":
        """The registry's checks, made and registered where it has none."""
        with _lock:
            checks = _by_registry.get(registry)
            if checks is None:
                checks = cls()
                registry.register(checks)
                _by_registry[registry] = checks
            return checks

    def add(self, check: Check) -> Check:
        """Take a check in, in the place of one of that name."""
        with self._lock:
            self._checks[check.name] = check
        self._wake.set()
        return check

    def remove(self, check: Check) -> None:
        """Forget that very check, unless another has taken its place."""
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
                self._interval = interval
                self._wake.set()
            if self._thread is None:
                thread = Thread(target=self._loop, args=(self._wake,), name="manometer-health", daemon=True)
                thread.start()
                self._thread = thread

    def stop(self) -> None:
        """Run no further check; what has been found stays, and ages."""
        with self._lock:
            thread, self._thread = self._thread, None
            wake = self._wake
            self._wake = Event()
            self._interval = INTERVAL
        wake.set()
        if thread is not None:
            thread.join()

    def run_due(self) -> None:
        """Start every check whose time has come; one still under way is left alone."""
        now = self._clock()
        for each in self.all():
            if not each._running and now >= each._due(self._interval):
                each._started, each._running = now, True
                try:
                    self._spawn(partial(each._run, self._clock))
                except Exception:  # no thread to be had: the next round tries again
                    each._running = False
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
            each._result = each._started = None
            each._running = False

    def describe(self) -> Iterable[Metric]:
        return [family(row) for row in rows.SPECS]

    def collect(self) -> Iterable[Metric]:
        now = self._clock()
        return pulled(figure for each in self.all() for figure in each._figures(now))

    def _loop(self, wake: Event) -> None:
        """Go on for as long as that event is the one in use: `stop` puts another in its place."""
        wake.clear()
        while self._wake is wake:
            self.run_due()
            wake.wait(self._until_next())
            wake.clear()

    def _until_next(self) -> float:
        now = self._clock()
        due = [each._due(self._interval) for each in self.all() if not each._running]
        return max(min(due, default=now + self._interval) - now, 0.0)


def _problem(answer: Any) -> str | None:
    if answer is None or answer is True:
        return None
    if isinstance(answer, str):
        return " ".join(answer.split()) or "failed, without a reason"
    if answer is False:
        return "failed"
    return f"returned a {type(answer).__qualname__}; a check returns None, True, False or a reason"


def _told(error: BaseException) -> str:
    """What an exception says, in one line; it is the program's, and may fail at that too."""
    try:
        return " ".join(str(error).split())
    except Exception:
        return "(its text cannot be had)"


def _in_thread(run: Callable[[], None]) -> None:
    Thread(target=run, name="manometer-check", daemon=True).start()


_by_registry: weakref.WeakKeyDictionary[CollectorRegistry, Checks] = weakref.WeakKeyDictionary()
_lock = freed_in_child(RLock())
