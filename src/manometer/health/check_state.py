"""One health check: what it found last, whether that still holds, and when it is to run next."""

import logging
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple, Protocol, Self

from manometer.catalogue import health as rows
from manometer.health.outcome import outcome
from manometer.registry.catalogued import Pulled

__all__ = ["TIMEOUT", "Check", "Owner"]

TIMEOUT = 10.0
"""Seconds that a run may take where the check does not say otherwise."""

_log = logging.getLogger("manometer")


class Owner(Protocol):
    """What a check belongs to. clock: seconds, monotonic; interval: of a check that has none of its own."""

    clock: Callable[[], float]
    interval: float

    def ended(self) -> None:
        """A run ended, so its check has a next time again."""

    def remove(self, check: "Check") -> None:
        """Forget that very check, unless another has taken its place."""


class _Result(NamedTuple):
    problem: str | None
    duration: float
    ended: float


class Check:
    """One registered check; `close()` takes it off."""

    def __init__(
        self,
        checks: Owner,
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
        if self._is_late(now) and started is not None:
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

    def _is_late(self, now: float) -> bool:
        """Whether a run outlasts its time-out."""
        return self._running and now >= self._late_at

    @property
    def _late_at(self) -> float:
        """When a run that is under way outlasts its time-out."""
        return inf if self._started is None else self._started + self.timeout

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
            problem = outcome(self._function, self.timeout)
        finally:  # whatever came of it, the check has a next time
            ended = clock()
            if problem is None and ended - started >= self.timeout:
                problem = f"took {ended - started:.0f} s, and its time-out is {self.timeout:g} s"
            self._result = _Result(problem, ended - started, ended)
            self._running = False
            self._tell()
            self._checks.ended()

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
        labels = {"health.check.name": self.name, "health.check.critical": "true" if self.critical else "false"}
        if result is None:  # it runs for the first time, or is about to: nothing is known before its time-out
            return [(rows.UP, labels, 0.0)] if self._is_late(now) else []
        return [
            (rows.UP, labels, float(problem is None)),
            (rows.DURATION, labels, result.duration),
            (rows.AGE, labels, now - result.ended),
        ]
