"""The contracts of retries and of circuit breakers."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from manometer.catalogue import resilience as rows
from manometer.instrumentation.resilience import instrument_breaker, instrument_retry
from manometer.testing.contract import Contract, equal, given
from manometer.testing.figures import Figures

__all__ = ["BreakerContract", "RetryContract"]


class _Failing:
    """A function that fails so many times, and then returns a text."""

    def __init__(self, times: int) -> None:
        self.times, self.calls = times, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise ConnectionError("of the contract")
        return "done"


class RetryContract(Contract):
    """What instrumented retries keep to.

        class TestFooRetry(RetryContract):
            def make(self):
                return foo.Retry(attempts=2, wait=0)

            def call(self, retry, function):
                return retry.run(function)

    make: what makes at most two attempts, with no time in between, and the second one after a ConnectionError.
    """

    subject = "resilience"
    name_attribute = "retry.operation.name"
    rows: ClassVar = {"attempts": rows.RETRY_ATTEMPTS}
    always = ("attempts",)

    def call(self, retry: Any, function: Callable[[], Any]) -> Any:
        """Call the function, with retries; return what it returns."""
        raise NotImplementedError

    def instrument(self, target: Any, name: str, figures: Figures) -> Any:
        """Measure the retries."""
        return instrument_retry(target, operation=name, registry=figures.registry)

    def use(self, target: Any) -> Any:
        """Call a function that succeeds."""
        return self.call(target, _Failing(0))

    def test_attempts_are_told_by_what_follows(self) -> None:
        """The first of two operations fails once; the other fails for good, and says so to its caller."""
        self._run(self._counts)

    async def _counts(self, figures: Figures) -> None:
        retry = self.instrument(await given(self.make()), "tried", figures)
        equal(_attempts(figures), {"ok": 0, "retried": 0, "exhausted": 0}, "attempts before the first")
        equal(await given(self.call(retry, _Failing(1))), "done", "what the function returns")
        equal(_attempts(figures), {"ok": 1, "retried": 1, "exhausted": 0}, "attempts of what fails once")
        failing = _Failing(9)
        try:
            await given(self.call(retry, failing))
        except Exception:
            equal(failing.calls, 2, "attempts that were made")
        else:
            raise AssertionError("what fails for good raises nothing")
        equal(_attempts(figures), {"ok": 1, "retried": 2, "exhausted": 1}, "attempts of what fails for good, too")
        await given(self.dispose(retry))


class BreakerContract(Contract):
    """What an instrumented circuit breaker keeps to.

        class TestFooBreaker(BreakerContract):
            tells = ("calls", "changes")
            refusal = foo.OpenError

            def make(self):
                return foo.Breaker(failures=2)

            def call(self, breaker, function):
                return breaker.run(function)

            def let_try(self, breaker):
                breaker.half_open()

    make: a breaker that opens at the second ConnectionError in a row, and closes after a trial call that succeeds.
    tells: of `calls` and `changes`, those that the adapter tells; the state is told of each breaker.
    refusal: what a call through an open breaker raises.
    """

    subject = "resilience"
    name_attribute = "breaker.name"
    rows: ClassVar = {"state": rows.BREAKER_STATE, "calls": rows.BREAKER_CALLS, "changes": rows.BREAKER_TRANSITIONS}
    always = ("state",)
    refusal: ClassVar[type[BaseException]]

    def call(self, breaker: Any, function: Callable[[], Any]) -> Any:
        """Call the function through the breaker; return what it returns."""
        raise NotImplementedError

    def let_try(self, breaker: Any) -> Any:
        """Have an open breaker let a trial call through, as it does by itself after a time."""
        raise NotImplementedError

    def instrument(self, target: Any, name: str, figures: Figures) -> Any:
        """Measure the breaker."""
        return instrument_breaker(target, name=name, registry=figures.registry)

    def use(self, target: Any) -> Any:
        """Call a function that succeeds."""
        return self.call(target, _Failing(0))

    def test_states_calls_and_changes_are_told(self) -> None:
        """One call succeeds, two fail and open the breaker, one is refused, and one closes it again."""
        self._run(self._counts)

    async def _counts(self, figures: Figures) -> None:
        breaker = self.instrument(await given(self.make()), "tried", figures)
        call = partial(self.call, breaker)
        equal(await given(call(_Failing(0))), "done", "what the function returns")
        equal(_states(figures), ["closed"], "the state after a success")
        failing = _Failing(9)
        for _ in range(2):
            with suppress(Exception):  # the library's own word for it, or the function's
                await given(call(failing))
        equal(_states(figures), ["open"], "the state after two failures")
        try:
            await given(call(failing))
        except self.refusal:
            equal(failing.calls, 2, "calls that came through")
        else:
            raise AssertionError(f"an open breaker raises no {self.refusal.__qualname__}")
        await given(self.let_try(breaker))
        equal(await given(call(_Failing(0))), "done", "what the function returns in a trial")
        equal(_states(figures), ["closed"], "the state after a trial that succeeds")
        if "calls" in self.tells:
            told = figures.all(rows.BREAKER_CALLS.prometheus_name, "breaker_call_outcome")
            equal(told, {each: {"ok": 2, "error": 2, "rejected": 1}[each] for each in told}, "calls")
        if "changes" in self.tells:
            changes = figures.all(rows.BREAKER_TRANSITIONS.prometheus_name, "breaker_state")
            equal(changes, dict.fromkeys(changes, 1), "changes of the state")
        await given(self.dispose(breaker))


def _attempts(figures: Figures) -> dict[str, float]:
    return figures.all(rows.RETRY_ATTEMPTS.prometheus_name, "retry_attempt_outcome")


def _states(figures: Figures) -> list[str]:
    told = figures.all(rows.BREAKER_STATE.prometheus_name, "breaker_state")
    return [state for state, holds in told.items() if holds]
