"""Retries by tenacity."""

import asyncio
import functools
import gc
import pickle
import weakref
from inspect import signature

import pytest
import tenacity

from manometer import Binding, BindingError, UnsupportedError, instrument_retry


class Flaky:
    """Fails so many times, then succeeds."""

    def __init__(self, failures, error=ConnectionError):
        self.failures = failures
        self.error = error

    def __call__(self):
        if self.failures:
            self.failures -= 1
            raise self.error
        return "done"


def retrying(**more):
    """At most three attempts, on connection errors only."""
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(3), retry=tenacity.retry_if_exception_type(ConnectionError), **more
    )


def outcomes(figures):
    """Attempts by outcome."""
    return figures.all("retry_attempts_total", "retry_attempt_outcome")


def test_attempts_are_told_by_what_came_of_them(figures):
    """Two retried, the third well."""
    retry = instrument_retry(retrying(), operation="send", registry=figures.registry)
    assert retry(Flaky(2)) == "done"
    assert outcomes(figures) == {"ok": 1, "retried": 2, "exhausted": 0}


def test_giving_up_is_exhausted(figures):
    """tenacity's own error passes through after the last attempt."""
    retry = instrument_retry(retrying(), operation="send", registry=figures.registry)
    with pytest.raises(tenacity.RetryError):
        retry(Flaky(9))
    assert outcomes(figures) == {"ok": 0, "retried": 2, "exhausted": 1}


def test_an_error_that_is_not_retried_is_exhausted_at_once(figures):
    """What the predicate lets through has failed for good."""
    retry = instrument_retry(retrying(), operation="send", registry=figures.registry)
    with pytest.raises(KeyError):
        retry(Flaky(1, KeyError))
    assert outcomes(figures) == {"ok": 0, "retried": 0, "exhausted": 1}


def test_a_decorated_function_is_measured(figures):
    """Each call of it is an operation of its own."""
    flaky = Flaky(1)
    send = instrument_retry(retrying().wraps(flaky.__call__), operation="send", registry=figures.registry)
    assert send() == "done"
    assert send() == "done"
    assert outcomes(figures) == {"ok": 2, "retried": 1, "exhausted": 0}


def test_a_function_that_is_decorated_after_its_retries_is_measured(figures):
    """It still holds the object that retries."""
    retried = retrying().wraps(Flaky(1).__call__)

    @functools.wraps(retried)
    def send():
        return retried()

    assert instrument_retry(send, operation="send", registry=figures.registry)() == "done"
    assert outcomes(figures) == {"ok": 1, "retried": 1, "exhausted": 0}


def plain():
    """A function that nobody retries."""


def misled():
    """A function that has something else of tenacity's by that name."""


misled.retry = tenacity.retry_always


@pytest.mark.parametrize(("wrong", "message"), [
    (object(), r"builtins\.object; pass a tenacity Retrying object, or .* by tenacity\.retry, or install"),
    (plain, r"builtins\.function; pass a tenacity Retrying object"),
    (tenacity.stop_never, r"object at .* is not retried by tenacity; decorate it with tenacity\.retry first"),
    (misled, r"function misled at .* is not retried by tenacity"),
])  # fmt: skip
def test_what_is_not_retried_is_refused(figures, wrong, message):
    """The message says what is taken; nothing is left on the registry."""
    with pytest.raises(UnsupportedError, match=message):
        instrument_retry(wrong, operation="send", registry=figures.registry)
    assert outcomes(figures) == {}


def test_blocks_are_measured(figures):
    """The form with `for attempt in` counts too."""
    flaky = Flaky(1)
    for attempt in instrument_retry(retrying(), operation="send", registry=figures.registry):
        with attempt:
            flaky()
    assert outcomes(figures) == {"ok": 1, "retried": 1, "exhausted": 0}


async def test_asynchronous_retries_are_measured(figures):
    """Also where the predicate itself is asynchronous."""

    async def again(state):
        await asyncio.sleep(0)
        return state.outcome.failed

    flaky = Flaky(1)

    async def send():
        return flaky()

    retry = tenacity.AsyncRetrying(stop=tenacity.stop_after_attempt(3), retry=again)
    instrument_retry(retry, operation="send", registry=figures.registry)
    assert await retry(send) == "done"
    assert outcomes(figures) == {"ok": 1, "retried": 1, "exhausted": 0}


def test_an_explicit_try_again_is_retried(figures):
    """tenacity does not ask its predicate there, but it asks whether to stop."""
    retry = instrument_retry(retrying(), operation="send", registry=figures.registry)
    assert retry(Flaky(1, tenacity.TryAgain)) == "done"
    assert outcomes(figures) == {"ok": 1, "retried": 1, "exhausted": 0}


def test_closing_keeps_what_the_program_set_since(figures):
    """The object has its own class again, and a stop that was assigned after the binding stays."""
    retry = instrument_retry(retrying(), operation="send", registry=figures.registry)
    retry.stop = later = tenacity.stop_after_attempt(2)
    Binding.of(retry).close()
    assert type(retry) is tenacity.Retrying
    assert retry.stop is later


def test_a_stop_assigned_after_the_binding_counts(figures):
    """The program may replace its predicate and its stop at any time."""
    retry = instrument_retry(retrying(), operation="send", registry=figures.registry)
    retry.stop = tenacity.stop_after_attempt(2)
    retry.retry = tenacity.retry_if_exception_type(KeyError)
    with pytest.raises(tenacity.RetryError):
        retry(Flaky(9, KeyError))
    assert outcomes(figures) == {"ok": 0, "retried": 1, "exhausted": 1}


def test_the_predicate_and_the_stop_stay_the_programs_own(figures):
    """They compose with others as before: `|` and `&` need tenacity's own classes."""
    retry = retrying()
    again, enough = retry.retry, retry.stop
    instrument_retry(retry, operation="send", registry=figures.registry)
    assert (retry.retry, retry.stop) == (again, enough)
    retry.stop = retry.stop | tenacity.stop_after_delay(9)
    retry.retry = retry.retry & tenacity.retry_if_exception_message("down")
    assert retry(Flaky(2, ConnectionError("down"))) == "done"
    assert outcomes(figures) == {"ok": 1, "retried": 2, "exhausted": 0}


@pytest.mark.skipif(not hasattr(tenacity.BaseRetrying, "__setstate__"), reason="its tenacity pickles none")
def test_a_pickled_retry_object_is_a_plain_one(figures):
    """It comes back with all that it had, and counts nothing."""
    retry = instrument_retry(retrying(), operation="send", registry=figures.registry)
    again = pickle.loads(pickle.dumps(retry))
    assert type(again) is tenacity.Retrying
    assert again(Flaky(2)) == "done"
    assert outcomes(figures) == {"ok": 0, "retried": 0, "exhausted": 0}


@pytest.mark.parametrize("decorated", [False, True])
def test_a_retry_object_is_freed_with_its_series(figures, decorated):
    """The binding holds neither the object nor the function that it decorates."""
    retry = retrying()
    target = retry.wraps(Flaky(0).__call__) if decorated else retry
    instrument_retry(target, operation="send", registry=figures.registry)
    gone = weakref.ref(retry)
    del retry, target
    gc.collect()
    assert gone() is None
    assert outcomes(figures) == {}


def test_copies_belong_to_the_operation(figures):
    """What `copy()` and `retry_with()` make counts whole: the decorated function works by copies, too."""
    retry = instrument_retry(retrying(), operation="send", registry=figures.registry)
    with pytest.raises(tenacity.RetryError):
        retry.copy(stop=tenacity.stop_after_attempt(2))(Flaky(9))
    assert outcomes(figures) == {"ok": 0, "retried": 1, "exhausted": 1}
    send = instrument_retry(retrying().wraps(Flaky(9).__call__), operation="again", registry=figures.registry)
    with pytest.raises(tenacity.RetryError):
        send.retry_with(stop=tenacity.stop_after_attempt(4))()
    assert figures("retry_attempts_total", retry_operation_name="again", retry_attempt_outcome="retried") == 3
    assert figures("retry_attempts_total", retry_operation_name="again", retry_attempt_outcome="exhausted") == 1


def test_a_copy_that_has_a_binding_counts_there_alone(figures):
    """An attempt is of one operation."""
    retry = instrument_retry(retrying(), operation="first", registry=figures.registry)
    other = instrument_retry(retry.copy(), operation="second", registry=figures.registry)
    other(Flaky(1))
    assert figures("retry_attempts_total", retry_operation_name="first", retry_attempt_outcome="ok") == 0
    assert figures("retry_attempts_total", retry_operation_name="second", retry_attempt_outcome="ok") == 1
    Binding.of(other).close()
    assert type(other) is tenacity.Retrying


def test_an_error_callback_is_the_end_of_an_exhausted_operation(figures):
    """Its value is the caller's; the attempt failed for good all the same."""
    retry = retrying(retry_error_callback=lambda state: "instead")
    instrument_retry(retry, operation="send", registry=figures.registry)
    assert retry(Flaky(9)) == "instead"
    assert outcomes(figures) == {"ok": 0, "retried": 2, "exhausted": 1}


@pytest.mark.skipif("enabled" not in signature(tenacity.Retrying).parameters, reason="its tenacity has no switch")
def test_what_is_not_enabled_makes_no_attempts(figures):
    """tenacity takes no part in the call, so nothing is known of it."""
    retry = instrument_retry(retrying(enabled=False), operation="send", registry=figures.registry)
    assert retry(Flaky(0)) == "done"
    assert retry.wraps(Flaky(0).__call__)() == "done"
    assert outcomes(figures) == {"ok": 0, "retried": 0, "exhausted": 0}


async def test_asynchronous_blocks_and_functions_are_measured(figures):
    """`async for attempt in` and decorated coroutine functions count as the synchronous ones do."""
    flaky = Flaky(1)
    retry = tenacity.AsyncRetrying(stop=tenacity.stop_after_attempt(3))
    async for attempt in instrument_retry(retry, operation="send", registry=figures.registry):
        with attempt:
            flaky()

    @tenacity.retry(stop=tenacity.stop_after_attempt(2))
    async def fail():
        raise ConnectionError

    instrument_retry(fail, operation="fail", registry=figures.registry)
    await asyncio.gather(fail(), fail(), return_exceptions=True)
    assert figures("retry_attempts_total", retry_operation_name="send", retry_attempt_outcome="ok") == 1
    assert figures("retry_attempts_total", retry_operation_name="send", retry_attempt_outcome="retried") == 1
    for outcome in ("retried", "exhausted"):
        assert figures("retry_attempts_total", retry_operation_name="fail", retry_attempt_outcome=outcome) == 2


def test_one_retry_object_is_not_measured_twice(figures):
    """Two functions that it decorates share it: their attempts could not be told apart."""
    retry = retrying()
    first, second = retry.wraps(Flaky(0).__call__), retry.wraps(Flaky(0).__call__)
    instrument_retry(first, operation="first", registry=figures.registry)
    with pytest.raises(BindingError, match="already bound"):
        instrument_retry(second, operation="second", registry=figures.registry)
