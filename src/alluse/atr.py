"""ATRAdjustmentSystem: strikes further off and orders smaller where days swing more.

The average true range is J. Welles Wilder Jr.'s, from "New Concepts in Technical Trading Systems"
(Trend Research, 1978): a true range counts the gap from the close before, the first average is the
plain mean of the first 14, and each later one is 13 parts the last average and 1 part the new range.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol

from alluse.bars import Bar
from alluse.errors import MarketError

__all__ = ["LOOKBACK", "PERIOD", "ATRAdjustmentSystem", "Adjustment", "History", "true_range", "wilder_atr"]

PERIOD = 14
LOOKBACK = 140
"""Bars that an average is taken over: what came before weighs (13/14)^126, under a ten-thousandth."""

_DISTANCE = 1.5  # average ranges from the price to the strike
_RISK = 50_000.0  # USD that an order may move by in an average day
_SHARES = 100  # shares a contract
_CONTRACTS_AT_MOST = 100


class History(Protocol):
    """Where the parts read the past: the last `count` bars up to a day, fewer where the data begins later."""

    def window(self, symbol: str, day: date, count: int) -> Sequence[Bar]:
        """Those bars, oldest first."""


class Adjustment(NamedTuple):
    """What the swings of the last days ask for. atr, distance: USD; size: contracts."""

    atr: float
    distance: float
    size: int


class ATRAdjustmentSystem:
    """Strike distance and size of the orders of a day."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.adjust = lru_cache(maxsize=4096)(self._adjust)

    def _adjust(self, symbol: str, day: date) -> Adjustment:
        atr = wilder_atr(self._history.window(symbol, day, LOOKBACK))
        size = int(_RISK / (atr * _SHARES)) if atr else _CONTRACTS_AT_MOST
        return Adjustment(atr, _DISTANCE * atr, max(1, min(size, _CONTRACTS_AT_MOST)))


def true_range(bar: Bar, close_before: float) -> float:
    """How far the price went in a day, the gap from the close before included."""
    return max(bar.high, close_before) - min(bar.low, close_before)


def wilder_atr(bars: Sequence[Bar], period: int = PERIOD) -> float:
    """Wilder's average true range after the last bar; it takes one bar more than the period."""
    if len(bars) <= period:
        raise MarketError(
            f"an average true range over {period} days takes {period + 1} bars, and there are {len(bars)} "
            f"up to {bars[-1].day if bars else 'that day'}; choose a later day"
        )
    ranges = [true_range(bar, before.close) for before, bar in pairwise(bars)]
    atr = sum(ranges[:period]) / period
    for each in ranges[period:]:
        atr = (atr * (period - 1) + each) / period
    return atr
