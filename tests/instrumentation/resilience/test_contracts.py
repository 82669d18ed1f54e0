"""Every adapter of retries and of breakers keeps to its contract."""

import pybreaker
import tenacity

from manometer.testing import BreakerContract, RetryContract

TWICE = {"stop": tenacity.stop_after_attempt(2), "retry": tenacity.retry_if_exception_type(ConnectionError)}


class TestRetrying(RetryContract):
    """An object that retries."""

    def make(self):
        return tenacity.Retrying(**TWICE)

    def call(self, retry, function):
        return retry(function)


class TestAsyncRetrying(TestRetrying):
    """One that retries coroutines."""

    def make(self):
        return tenacity.AsyncRetrying(**TWICE)

    async def call(self, retry, function):
        async def later():
            return function()

        return await retry(later)


class TestDecorated(TestRetrying):
    """A function that is decorated."""

    def make(self):
        return tenacity.retry(**TWICE)(lambda function: function())


class TestBreaker(BreakerContract):
    """A breaker on its own."""

    tells = ("calls", "changes")
    refusal = pybreaker.CircuitBreakerError

    def make(self):
        return pybreaker.CircuitBreaker(fail_max=2, reset_timeout=3600)

    def call(self, breaker, function):
        return breaker.call(function)

    def let_try(self, breaker):
        breaker.half_open()
