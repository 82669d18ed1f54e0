"""Health checks: named functions that say whether something works, run in the background, results kept."""

import inspect
import logging
import weakref
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from math import inf
from threading import Event, RLock, Thread
from time import monotonic
from typing import Any, NamedTuple, Self

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.background import in_background
from manometer.catalogue import health as rows
from manometer.errors import BindingError
from manometer.meters.fork import Forked, freed_in_child, notice, renewed_in_child
from manometer.meters.metric_view import MetricView
from manometer.registry.catalogued import Pulled, described, pulled

__all__ = ["Check", "Checks", "check"]

INTERVAL = 30.0
"""Seconds between two runs of a check where neither it nor the settings say otherwise."""
TIMEOUT = 10.0
"""Seconds that a run may take where the check does not say otherwise."""

_log = logging.getLogger("manometer")


def check(
    name: str,
    function: Callable[[], Any],
    *,
    critical: bool = True,
    interval: float | None = None,
    timeout: float = TIMEOUT,
    registry: CollectorRegistry = REGISTRY,
) -> "Check":
    """Have a started Manometer run `function` every so often, in the place of any check of that name.

    function: returns None or True when all is well; False, a reason as text, or an exception is a
    failure. It runs in a thread of its own and never twice at once. A coroutine function runs there on an event
    loop of its own: it must open what it asks, as a connection of the program's loop does not work on another.
    critical: whether the program is not ready while the check fails, or has not run yet.
    interval: seconds from the start of a run to the next one's; by default the settings' `health_interval`.
    timeout: seconds after which a run counts as failed. A function runs on all the same, and no other run begins
    before it returns; a coroutine is cancelled.
    Raises BindingError where the name is empty, the function is none, or a number of seconds is not over 0.
    """
    if not isinstance(name, str) or not name:
        raise BindingError(f"the name of a health check is {name!r}; give it a short name, as text")
    if not callable(function):
        raise BindingError(f"health check {name!r} is no function; pass one that returns None or a reason")
    for what, seconds in (("interval", interval), ("timeout", timeout)):
        if seconds is not None and not seconds > 0:
            raise BindingError(f"health check {name!r} has the {what} {seconds!r}; pass seconds over 0")
    checks = Checks.on(registry)
    return checks.add(Check(checks, name, function, critical, interval, timeout))


class _Result(NamedTuple):
    problem: str | None
    duration: float
    ended: float


class Check:
    """One registered check; `close()` takes it off."""

    def __init__(
        self,
        checks: "Checks",
        name: str,
        function: Callable[[], Any],
        critical: bool = True,
        interval: float | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.name, self.critical, self.interval, self.timeout = name, critical, interval, timeout
        self._checks = checks
        self._function = function
        self._renew()

    @property
    def problem(self) -> str | None:
        """Why the check is not well, or None: the last result, if it is recent and no run outlasts its time-out."""
        result, started, now = self._result, self._started, self._checks.clock()
        if self._running and started is not None and now - started >= self.timeout:
            return f"has run for {now - started:.0f} s, and its time-out is {self.timeout:g} s"
        if result is None:
            return "unknown, it has not run yet"
        if not self._running and now - result.ended > self._every + self.timeout:
            return f"stale, it last ran {now - result.ended:.0f} s ago"
        return result.problem

    def close(self) -> None:
        """Take the check off; a second call does nothing."""
        self._checks.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- for Checks

    def _renew(self) -> None:
        """Have neither run nor told anything, as at first and in a forked child."""
        self._result: _Result | None = None
        self._started: float | None = None
        self._running = False
        self._failing = False

    @property
    def _every(self) -> float:
        return self.interval or self._checks.interval

    @property
    def _next(self) -> float:
        """When there is something to be done: the next run, or to tell that this one has outlasted its time-out."""
        if self._started is None:
            return 0.0
        if not self._running:
            return self._started + self._every
        return inf if self._failing else self._started + self.timeout

    def _run(self) -> None:
        clock = self._checks.clock
        started = clock()
        problem: str | None = "failed, and cannot say how"
        try:
            problem = self._outcome()
        finally:  # whatever came of it, the check has a next time
            ended = clock()
            if problem is None and ended - started >= self.timeout:
                problem = f"took {ended - started:.0f} s, and its time-out is {self.timeout:g} s"
            self._result = _Result(problem, ended - started, ended)
            self._running = False
            self._tell()
            self._checks.ended()

    def _outcome(self) -> str | None:
        try:
            answer = self._function()
            if inspect.isawaitable(answer):
                answer = _awaited(answer, self.timeout)
            return _problem(answer)
        except BaseException as error:  # SystemExit too: it would end the thread without a word
            return f"{type(error).__qualname__}: {_told(error)}"

    def _tell(self) -> None:
        """Log where the check begins to fail, and where it is well again."""
        problem, before = self.problem, self._failing
        self._failing = problem is not None
        if self._failing and not before:
            _log.warning("health check %r fails: %s", self.name, problem)
        elif before and not self._failing:
            _log.info("health check %r is well again", self.name)

    def _figures(self, now: float) -> list[Pulled]:
        result, problem = self._result, self.problem
        labels = {"check": self.name, "critical": "true" if self.critical else "false"}
        if result is None:  # it runs for the first time, or is about to: nothing is known before its time-out
            timed_out = self._running and self._started is not None and now - self._started >= self.timeout
            return [(rows.UP, labels, 0.0)] if timed_out else []
        return [
            (rows.UP, labels, float(problem is None)),
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
        self.clock = clock
        self.interval = INTERVAL
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
        """Start every check whose time has come; one still under way is left alone, and told of once it is late."""
        now = self.clock()
        for each in self.all():
            if now < each._next:
                continue
            if each._running:
                each._tell()
                continue
            each._started, each._running = now, True
            try:
                self._spawn(each._run)
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
            each._renew()

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
        due = [now + self.interval, *(each._next for each in self.all())]
        return max(min(due) - now, 0.0)


def _awaited(answer: Awaitable[Any], timeout: float) -> Any:
    """What the coroutine returns, on a loop of this thread; past the time-out it is cancelled, and says so."""
    import asyncio  # here, because it takes as long to import as all of this

    async def wait() -> Any:
        try:
            async with asyncio.timeout(timeout) as limit:
                return await answer
        except TimeoutError:
            if limit.expired():
                return f"was cancelled after its time-out of {timeout:g} s"
            raise

    return asyncio.run(wait())


def _problem(answer: Any) -> str | None:
    if answer is None or answer is True:
        return None
    if isinstance(answer, str):
        return " ".join(answer.split()) or "failed, without a reason"
    if answer is False:
        return "failed"
    return f"returned {_shown(answer)}; a check returns None, True, False or a reason"


def _shown(answer: object) -> str:
    """The kind of an answer that makes no sense, and the answer itself where it is short; it is the program's."""
    kind = type(answer).__qualname__
    return f"{kind} {answer!r}" if isinstance(answer, int | float) else f"an object of class {kind}"


def _told(error: BaseException) -> str:
    """What an exception says, in one line; it is the program's, and may fail at that too."""
    try:
        return " ".join(str(error).split())
    except Exception:
        return "(its text cannot be had)"


def _in_thread(run: Callable[[], None]) -> None:
    in_background(run, "manometer-check")


_by_registry: weakref.WeakKeyDictionary[CollectorRegistry, Checks] = weakref.WeakKeyDictionary()
_lock = freed_in_child(RLock())
