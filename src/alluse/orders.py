"""Orders, and OrderPool: order objects that are used again."""

import time
from collections import deque
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from threading import Lock

from alluse.errors import OrderPoolExhaustedError
from alluse.pricing import Right

__all__ = ["Action", "Order", "OrderPool"]

_FIRST_DAY = date.min


class Action(StrEnum):
    """What an order does with a lot: it sells the lot, buys it back, or settles the lot at the end of its life.

    A settlement is an entry in the book, and no order to the market: its price may be 0.
    """

    OPEN = "open"
    CLOSE = "close"
    EXPIRE = "expire"


class Order:
    """One order to the broker. strike and price: USD a share; quantity: contracts, sold ones below 0."""

    __slots__ = ("account", "action", "day", "price", "quantity", "right", "strike", "symbol")

    def __init__(self) -> None:
        self.clear()

    def fill(
        self,
        *,
        account: str,
        symbol: str,
        day: date,
        action: Action,
        right: Right,
        strike: float,
        quantity: int,
        price: float,
    ) -> None:
        """Write the order."""
        self.account, self.symbol, self.day = account, symbol, day
        self.action, self.right, self.strike = action, right, strike
        self.quantity, self.price = quantity, price

    def clear(self) -> None:
        """Wipe the order, so that nothing of it reaches the next."""
        self.fill(
            account="",
            symbol="",
            day=_FIRST_DAY,
            action=Action.OPEN,
            right=Right.PUT,
            strike=0.0,
            quantity=0,
            price=0.0,
        )


class OrderPool:
    """At most `limit` order objects. Safe for many threads.

    Every `clean_every` seconds, objects that nobody needed since the last cleaning are dropped.
    """

    def __init__(
        self, limit: int = 1_000, *, clean_every: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit: int | None = limit
        self.created = 0
        self.in_use = 0
        self._idle: deque[Order] = deque()
        self._least_idle = 0  # since the last cleaning: that many were not needed
        self._clean_every = clean_every
        self._clock = clock
        self._clean_at = clock() + clean_every
        self._lock = Lock()

    @property
    def idle(self) -> int:
        """Objects in the pool, ready to be taken out."""
        return len(self._idle)

    def acquire(self) -> Order:
        """Take an object out; OrderPoolExhaustedError where all of them are out."""
        with self._lock:
            if not self._idle:
                if self.limit is not None and self.in_use >= self.limit:
                    raise OrderPoolExhaustedError(
                        f"all {self.limit} orders are in use; wait for some to end, or raise the pool's limit"
                    )
                self._idle.append(Order())
                self.created += 1
            order = self._idle.pop()
            self.in_use += 1
            self._least_idle = min(self._least_idle, len(self._idle))
        return order

    def release(self, order: Order) -> None:
        """Put an object back, wiped."""
        order.clear()
        with self._lock:
            self._idle.append(order)
            self.in_use -= 1
            if self._clock() >= self._clean_at:
                self._clean()

    def _clean(self) -> None:
        for _ in range(self._least_idle):
            self._idle.popleft()  # the longest unused: the newest are taken out first
        self._least_idle = len(self._idle)
        self._clean_at = self._clock() + self._clean_every
