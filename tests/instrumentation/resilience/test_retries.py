"""Retries by tenacity."""

import asyncio

import pytest
import tenacity

from manometer import Binding, BindingError, instrument_retry


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
    return figures.all("retry_attempts_total", "outcome")


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


def test_closing_gives_the_questions_back(figures):
    """The predicate and the stop are the program's own again."""
    retry = retrying()
    before = (retry.retry, retry.stop)
    instrument_retry(retry, operation="send", registry=figures.registry)
    Binding.of(retry).close()
    assert (retry.retry, retry.stop) == before


def test_one_retry_object_is_not_measured_twice(figures):
    """Two functions that it decorates share it: their attempts could not be told apart."""
    retry = retrying()
    first, second = retry.wraps(Flaky(0).__call__), retry.wraps(Flaky(0).__call__)
    instrument_retry(first, operation="first", registry=figures.registry)
    with pytest.raises(BindingError, match="already bound"):
        instrument_retry(second, operation="second", registry=figures.registry)
