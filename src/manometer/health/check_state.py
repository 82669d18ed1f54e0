"""One health check: what it found last, whether that still holds, and when it is to run next."""

import logging
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from manometer.catalogue import health as rows
from manometer.health.execution import Execution, Spawn
from manometer.health.finding import Finding
from manometer.registry.catalogued import Pulled

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["LIVE", "READY", "SLOW", "STARTUP", "TIMEOUT", "Check", "Owner", "Result"]

TIMEOUT = 10.0
"""Seconds that a run may take where the check does not say otherwise."""
SLOW = 0.5
"""Of its time-out, what a run takes that is slow."""
RETRY = 1.0
"""Seconds at most between two runs of a check that the start of the program waits for."""

LIVE, READY, STARTUP = "live", "ready", "startup"
"""The groups that pages of their own show."""

_log = logging.getLogger("manometer")
_NONE: Mapping[str, str] = {}


class Owner(Protocol):
    """What a check belongs to. clock: seconds, monotonic; interval: of a check that has none of its own."""

    clock: Callable[[], float]
    interval: float

    def ended(self) -> None:
        """A run ended, so its check has a next time again."""

    def remove(self, check: "Check") -> None:
        """Forget that very check, unless another has taken its place."""


class Result(NamedTuple):
    """What the last run found; duration: seconds that it took; ended: when, by the owner's clock."""

    finding: Finding
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
        groups: Iterable[str] = (READY,),
        loop: "AbstractEventLoop | None" = None,
        subjects: Mapping[str, str] = _NONE,
    ) -> None:
        self.name, self.critical, self.interval, self.timeout = name, critical, interval, timeout
        self.groups, self._subjects = frozenset(groups), subjects
        self._checks = checks
        self._execution = Execution(function, timeout, loop)
        self._renew()

    @property
    def result(self) -> Result | None:
        """What the last run found."""
        return self._result

    @property
    def age(self) -> float | None:
        """Seconds since the last run ended."""
        result = self._result
        return None if result is None else self._checks.clock() - result.ended

    @property
    def problem(self) -> str | None:
        """Why the check is not well, or None: the last result, if it is recent and no run outlasts its time-out."""
        proven = self._proven
        if proven is not None or self._is_done:
            return proven
        result, now = self._result, self._checks.clock()
        if result is None:
            return "unknown, it has not run yet"
        if not self._running and now - result.ended > self._every + self.timeout:
            return f"stale, it last ran {now - result.ended:.0f} s ago"
        return None

    @property
    def slowness(self) -> str | None:
        """How slow the run under way is, or the last one was, where it takes over half of its time-out."""
        result, took = self._result, self._running_for
        if took is not None and took >= self._slow_after:
            return f"slow, {self._under_way(took)}"
        if took is None and result is not None and result.duration >= self._slow_after:
            return f"slow, it took {result.duration:.0f} s, and its time-out is {self.timeout:g} s"
        return None

    def fails(self, group: str) -> bool:
        """Whether the check has its group fail; only a critical one does.

        A program is killed for what a run has shown alone, and it has started once each check has passed.
        """
        if not self.critical or group not in self.groups:
            return False
        if group == STARTUP:
            return not self._has_passed
        return (self._proven if group == LIVE else self.problem) is not None

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
        self._result: Result | None = None
        self._started: float | None = None
        self._entered = 0.0
        self._running = False
        self._failing = self._slow = self._has_passed = False

    @property
    def _proven(self) -> str | None:
        """What a run has shown to be wrong, or None."""
        took = self._running_for
        if took is not None and took >= self.timeout:
            return self._under_way(took)
        return None if self._result is None else self._result.finding.problem

    @property
    def _is_done(self) -> bool:
        """Whether it has passed, and nothing but the start waited for it."""
        return self._has_passed and self.groups == {STARTUP}

    @property
    def _running_for(self) -> float | None:
        """Seconds that the run under way has taken so far."""
        started = self._started  # read once: another thread may end the run
        return self._checks.clock() - started if self._running and started is not None else None

    def _under_way(self, took: float) -> str:
        what = "has waited for its event loop" if self._execution.waits_for_loop else "has run"
        return f"{what} for {took:.0f} s, and its time-out is {self.timeout:g} s"

    def _is_late(self, now: float) -> bool:
        """Whether a run outlasts its time-out."""
        return self._running and now >= self._late_at

    @property
    def _late_at(self) -> float:
        """When a run that is under way outlasts its time-out."""
        return inf if self._started is None else self._started + self.timeout

    @property
    def _slow_after(self) -> float:
        return self.timeout * SLOW

    @property
    def _every(self) -> float:
        every = self.interval or self._checks.interval
        return min(every, RETRY) if self.fails(STARTUP) else every

    @property
    def _next(self) -> float:
        """When there is something to be done: the next run, or to tell that this one is slow, or late."""
        if self._started is None:
            return 0.0
        if not self._running:
            return inf if self._is_done else self._started + self._every
        if not self._slow:
            return self._started + self._slow_after
        return inf if self._failing else self._late_at

    def _begin(self, now: float, spawn: Spawn) -> None:
        """Begin a run. Raises what `spawn` does."""
        self._started = self._entered = now
        self._running = True
        try:
            self._execution.begin(spawn, self._enter, self._end)
        except Exception:
            self._running = False
            raise

    def _enter(self) -> None:
        """The run begins, which the thread or the loop may have taken its time for."""
        self._entered = self._checks.clock()

    def _end(self, finding: Finding | None) -> None:
        """The run ended; None where its loop did, and nothing is known."""
        ended = self._checks.clock()
        took = ended - self._entered
        if finding is not None:
            if finding.problem is None and took >= self.timeout:
                finding = finding._replace(problem=f"took {took:.0f} s, and its time-out is {self.timeout:g} s")
            self._has_passed |= finding.problem is None
            self._result = Result(finding, took, ended)
        self._running = False
        self._tell()
        self._checks.ended()

    def _tell(self) -> None:
        """Log where the check begins to fail or to be slow, and where it is well again."""
        problem, before = self._proven, self._failing
        slowness, was_slow = self.slowness, self._slow
        self._failing, self._slow = problem is not None, slowness is not None
        if self._failing and not before:
            _log.warning("health check %r fails: %s", self.name, problem)
        elif before and not self._failing:
            _log.info("health check %r is well again", self.name)
        elif self._slow and not was_slow and not self._failing:
            _log.warning("health check %r is %s", self.name, slowness)

    def _figures(self, now: float) -> list[Pulled]:
        result, problem, running_for = self._result, self.problem, self._running_for
        labels = {"health.check.name": self.name, "health.check.critical": "true" if self.critical else "false"}
        named = {**labels, **self._subjects}
        told: list[Pulled] = [] if running_for is None else [(rows.RUNNING, labels, running_for)]
        if result is None:  # it runs for the first time, or is about to: nothing is known before its time-out
            return [(rows.UP, named, 0.0), *told] if self._is_late(now) else told
        told += [(rows.UP, named, float(problem is None)), (rows.DURATION, labels, result.duration)]
        return told if self._is_done else [*told, (rows.AGE, labels, now - result.ended)]
