"""What the tests of ALL-USE share: made-up prices, an order to send, a clock that stands still."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from alluse.bars import Bar
from alluse.book import Book
from alluse.orders import Action, Order
from alluse.pricing import Right


class FixedHistory:
    """Bars of one symbol, in memory."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        self._bars = bars

    def window(self, symbol: str, day: date, count: int) -> Sequence[Bar]:
        """The last `count` bars up to the day."""
        place = next(at for at, bar in enumerate(self._bars) if bar.day == day)
        return self._bars[max(0, place + 1 - count) : place + 1]


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of the test's own."""
    return CollectorRegistry()


@pytest.fixture
def history() -> Callable[[Sequence[Bar]], FixedHistory]:
    """Makes a history of bars."""
    return FixedHistory


@pytest.fixture
def weekdays() -> Callable[[date, Sequence[float]], list[Bar]]:
    """Makes a bar a weekday from closes: each opens at the close before, its high and low 1 beyond the two."""

    def make(first: date, closes: Sequence[float]) -> list[Bar]:
        bars, day, before = [], first, closes[0]
        for close in closes:
            while day.weekday() > 4:
                day += timedelta(days=1)
            bars.append(Bar(day, before, max(before, close) + 1, min(before, close) - 1, close, 1000))
            day, before = day + timedelta(days=1), close
        return bars

    return make


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """A book in a SQLite file."""
    book = Book(f"sqlite:///{tmp_path / 'book.sqlite'}", connections=3, patience=0.05)
    yield book
    book.close()


@pytest.fixture
def order() -> Callable[..., Order]:
    """Makes an order: by default, five puts sold."""

    def make(account: str = "GOOG-0001", action: Action = Action.OPEN, quantity: int = -5) -> Order:
        made = Order()
        made.fill(
            account=account,
            symbol="GOOG",
            day=date(2008, 1, 2),
            action=action,
            right=Right.PUT,
            strike=650.0,
            quantity=quantity,
            price=4.5,
        )
        return made

    return make
