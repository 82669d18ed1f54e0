"""Retries and breakers driven at random, against an account that is kept apart."""

import asyncio
from contextlib import suppress

import pybreaker
import tenacity
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from prometheus_client import CollectorRegistry

from collected import collect
from manometer import Binding, instrument_breaker, instrument_retry

LIMITS = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)

ANSWERS = {"ok": None, "again": ConnectionError, "explicit": tenacity.TryAgain, "fatal": KeyError}


def values(registry, name, label):
    """The values of all samples of that name, by one of their labels."""
    return {
        sample.labels[label]: sample.value
        for family in collect(registry)
        for sample in family.samples
        if sample.name == name
    }


class Retries(RuleBasedStateMachine):
    """Retry objects of both kinds, used in every form, while the program changes them."""

    def __init__(self):
        super().__init__()
        self.registry = CollectorRegistry()
        self.most = 3
        options = {
            "stop": tenacity.stop_after_attempt(self.most),
            "retry": tenacity.retry_if_exception_type(ConnectionError),
        }
        self.retry, self.later = tenacity.Retrying(**options), tenacity.AsyncRetrying(**options)
        self.bound = False
        self.bind()

    @rule()
    def bind(self):
        if not self.bound:
            instrument_retry(self.retry, operation="now", registry=self.registry)
            instrument_retry(self.later, operation="later", registry=self.registry)
            self.bound, self.account = True, {"ok": 0, "retried": 0, "exhausted": 0}

    @rule()
    def close(self):
        if self.bound:
            Binding.of(self.retry).close()
            Binding.of(self.later).close()
            self.bound = False
            assert type(self.retry) is tenacity.Retrying
            assert type(self.later) is tenacity.AsyncRetrying

    @rule(most=st.integers(1, 4), composed=st.booleans())
    def set_stop(self, most, composed):
        stop = tenacity.stop_after_attempt(most)
        self.most = min(most, self.most) if composed else most
        for each in (self.retry, self.later):
            each.stop = each.stop | stop if composed else stop

    def expect(self, script, most):
        """What the attempts come to: the script says how each ends, and the last word is repeated."""
        for attempt in range(1, 100):
            answer = script[min(attempt, len(script)) - 1]
            if answer in ("ok", "fatal"):
                self.account["ok" if answer == "ok" else "exhausted"] += 1
                return
            self.account["exhausted" if attempt >= most else "retried"] += 1
            if attempt >= most:
                return

    @rule(
        script=st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=5),
        form=st.sampled_from(["call", "wraps", "retry_with", "copy", "for"]),
        asynchronous=st.booleans(),
        fewer=st.integers(1, 3),
    )
    def use(self, script, form, asynchronous, fewer):
        most = fewer if form in ("retry_with", "copy") else self.most
        if self.bound:
            self.expect(script, most)
        answers = iter([*script, *[script[-1]] * 10])

        def operation():
            error = ANSWERS[next(answers)]
            if error is not None:
                raise error

        async def later():
            await asyncio.sleep(0)
            operation()

        stop = tenacity.stop_after_attempt(fewer)
        with suppress(tenacity.RetryError, KeyError):
            if asynchronous:
                asyncio.run(self.use_later(later, form, stop))
            elif form == "for":
                for attempt in self.retry:
                    with attempt:
                        operation()
            else:
                self.form(self.retry, operation, form, stop)()

    async def use_later(self, operation, form, stop):
        if form == "for":
            async for attempt in self.later:
                with attempt:
                    await operation()
        else:
            await self.form(self.later, operation, form, stop)()

    @staticmethod
    def form(retry, operation, form, stop):
        """A function that runs the operation."""
        if form == "call":
            return lambda: retry(operation)
        if form == "copy":
            return lambda: retry.copy(stop=stop)(operation)
        wrapped = retry.wraps(operation)
        return wrapped.retry_with(stop=stop) if form == "retry_with" else wrapped

    @invariant()
    def the_figures_are_the_accounts(self):
        found = {"ok": 0, "retried": 0, "exhausted": 0}
        for family in collect(self.registry):
            for sample in family.samples:
                if sample.name == "retry_attempts_total":
                    found[sample.labels["outcome"]] += sample.value
        assert found == (self.account if self.bound else dict.fromkeys(found, 0))


class Account(pybreaker.CircuitBreakerListener):
    """pybreaker's own word for what happens."""

    def __init__(self):
        self.calls = {"ok": 0, "error": 0, "rejected": 0}
        self.changes = {"closed": 0, "open": 0, "half_open": 0}
        self.tried = 0

    def before_call(self, cb, func, *args, **kwargs):
        self.tried += 1

    def success(self, cb):
        self.calls["ok"] += 1

    def failure(self, cb, exc):
        self.calls["error"] += 1

    def state_change(self, cb, old_state, new_state):
        self.changes[new_state.name.replace("-", "_")] += 1


class Breakers(RuleBasedStateMachine):
    """A breaker that is called in every form, while the program turns it by hand."""

    def __init__(self):
        super().__init__()
        self.registry, self.account = CollectorRegistry(), Account()
        self.breaker = pybreaker.CircuitBreaker(
            fail_max=3, reset_timeout=3600, exclude=[KeyError], listeners=[self.account]
        )
        instrument_breaker(self.breaker, name="b", registry=self.registry)

    @rule(
        error=st.sampled_from([None, ConnectionError, KeyError, pybreaker.CircuitBreakerError]),
        form=st.sampled_from(["call", "decorator", "calling", "generator"]),
    )
    def call(self, error, form):
        def operation():
            if error is not None:
                raise error

        def generator():
            yield
            operation()

        tried = self.account.tried
        try:
            if form == "calling":
                with self.breaker.calling():
                    operation()
            elif form == "generator":
                list(self.breaker.call(generator))
            else:
                (self.breaker(operation) if form == "decorator" else lambda: self.breaker.call(operation))()
        except (ConnectionError, KeyError):
            pass
        except pybreaker.CircuitBreakerError:
            self.account.calls["rejected"] += self.account.tried == tried

    @rule(turn=st.sampled_from(["open", "close", "half_open"]))
    def turn(self, turn):
        getattr(self.breaker, turn)()

    @rule(seconds=st.sampled_from([0, 3600]))
    def set_timeout(self, seconds):
        self.breaker.reset_timeout = seconds

    @rule()
    def bind_again(self):
        """A closed binding takes its series with it, and the next one begins at zero."""
        Binding.of(self.breaker).close()
        assert type(self.breaker) is pybreaker.CircuitBreaker
        assert type(self.breaker.state).__mro__[1] is pybreaker.CircuitBreakerState
        instrument_breaker(self.breaker, name="b", registry=self.registry)
        for counts in (self.account.calls, self.account.changes):
            counts.update(dict.fromkeys(counts, 0))

    @invariant()
    def the_figures_are_the_accounts(self):
        assert values(self.registry, "breaker_calls_total", "outcome") == self.account.calls
        assert values(self.registry, "breaker_transitions_total", "state") == self.account.changes
        on = [state for state, value in values(self.registry, "breaker_state", "state").items() if value]
        assert on == [self.breaker.current_state.replace("-", "_")]


TestRetries = Retries.TestCase
TestRetries.settings = LIMITS
TestBreakers = Breakers.TestCase
TestBreakers.settings = LIMITS
