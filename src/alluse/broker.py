"""BrokerGateway: sends orders through the book's connections, with retries and a circuit breaker."""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn, TypeVar

from pybreaker import STATE_CLOSED, STATE_HALF_OPEN, CircuitBreaker, CircuitBreakerError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from alluse.book import Book, BookError, PoolTimeoutError
from alluse.errors import BrokerError
from alluse.faults import Faults
from alluse.orders import Order
from alluse.rules import Lot

__all__ = ["ORDER_ERRORS", "BrokerGateway", "CircuitBreakerError", "Gate"]

T = TypeVar("T")

_TRANSIENT = (BrokerError, BookError)
ORDER_ERRORS = (*_TRANSIENT, PoolTimeoutError, CircuitBreakerError)
"""What keeps an order from being placed, in any setting of the gateway."""

_SLOW = 0.5  # seconds that a slow broker takes longer
_WORTH_TELLING = 0.25  # seconds that placing orders takes; the rules of ALL-USE promise less

_log = logging.getLogger("alluse")


class Gate:
    """Lets calls through a pybreaker breaker without its lock.

    pybreaker holds its lock while a call through it runs, so that calls go one by one. Here a call
    runs on its own while the breaker is closed, and tells it the outcome afterwards. Once the breaker
    is open, calls go through it: it refuses them, or makes one of them its trial, under its lock.
    Those that come during a trial are refused here, and `refused` hears of it.

    failures: the exceptions that say that the other side is unwell; others are none of the breaker's.
    """

    def __init__(self, breaker: CircuitBreaker, failures: tuple[type[Exception], ...]) -> None:
        self.breaker = breaker
        self.refused: Callable[[], None] = _nothing
        self._failures = failures

    def call(self, send: Callable[[], T]) -> T:
        """Run `send`; CircuitBreakerError where the breaker does not let it."""
        state = self.breaker.current_state
        if state == STATE_CLOSED:
            return self._watched(send)
        if state == STATE_HALF_OPEN:
            self.refused()
            raise CircuitBreakerError("the breaker is open, and its trial is under way")
        return self.breaker.call(send)

    def _watched(self, send: Callable[[], T]) -> T:
        try:
            result = send()
        except self._failures as error:
            self._tell(_raise, error)
            raise
        self._tell(_nothing)
        return result

    def _tell(self, outcome: Callable[..., None], *error: Exception) -> None:
        # What began while the breaker was closed and ends after it opened is no trial.
        if self.breaker.current_state == STATE_CLOSED:
            # What comes out is the outcome itself, or that another thread was quicker to open the breaker.
            with suppress(CircuitBreakerError, *self._failures):
                self.breaker.call(outcome, *error)


class BrokerGateway:
    """Places the orders of a workflow: all of them, or none. Safe for many threads.

    book: None to keep none, and leave the database out.
    """

    def __init__(
        self,
        book: Book | None,
        faults: Faults,
        *,
        attempts: int = 3,
        failures: int = 5,
        reset_after: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.book = book
        self.retrying = Retrying(
            stop=stop_after_attempt(attempts),
            wait=wait_exponential(multiplier=0.02, max=0.5) + wait_random(0, 0.02),
            retry=retry_if_exception_type(_TRANSIENT),
            sleep=sleep,
            reraise=True,
        )
        # A failed trial says what failed, and not that the breaker opened.
        self.breaker = CircuitBreaker(
            fail_max=failures, reset_timeout=reset_after, name="broker", throw_new_error_on_trip=False
        )
        self.gate = Gate(self.breaker, _TRANSIENT)
        self._faults = faults
        self._sleep, self._clock = sleep, clock

    def place(self, orders: Sequence[Order]) -> None:
        """Send the orders, again where it went wrong; raises one of ORDER_ERRORS with none of them placed.

        The log tells of orders that took long: in here, where the span of the stage still is.
        """
        batch = uuid.uuid4().hex  # the same for every attempt: what came through is not written twice
        began = self._clock()
        self.retrying(self.gate.call, lambda: self._send(batch, orders))
        took = self._clock() - began
        if took > _WORTH_TELLING:
            _log.warning("the broker was slow", extra={"seconds": round(took, 3), "orders": len(orders)})

    def lot(self, account: str, known: Lot | None) -> Lot | None:
        """What the book has as the account's lot; without a book, what is known."""
        if self.book is None:
            return known
        lots = self.book.lots

        def ask() -> Lot | None:
            self._halfway()
            return lots(account).get(account)

        return self.gate.call(ask)

    def ping(self) -> None:
        """Whether the book can be reached; raises what is wrong where it can not."""
        if self.book is not None:
            self.book.ping()

    def _send(self, batch: str, orders: Sequence[Order]) -> None:
        if self.book is None:
            self._connected()
            self._halfway()
        else:
            self.book.write(batch, orders, self._connected, self._halfway)

    def _connected(self) -> None:
        if self._faults.strikes("slow-broker"):
            self._sleep(_SLOW)

    def _halfway(self) -> None:
        if self._faults.strikes("failing-broker"):
            raise BrokerError("the broker broke off halfway")


def _raise(error: Exception) -> NoReturn:
    raise error


def _nothing() -> None:
    """All is well, or nobody counts."""
