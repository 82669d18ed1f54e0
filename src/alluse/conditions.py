"""MarketConditionAnalyzer: trend, realised volatility and drawdown to calm, trending or stressed."""

import math
import time
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise
from threading import Lock
from typing import NamedTuple

from cachetools import TTLCache, cached

from alluse.atr import History
from alluse.bars import Bar
from alluse.errors import MarketError

__all__ = ["Condition", "MarketConditionAnalyzer", "MarketState", "condition_of", "drawdown", "trend", "volatility"]

_WINDOW = 21  # bars: the returns of a month of trading
_YEAR = 252  # trading days
_STRESSED_VOLATILITY = 0.60
_STRESSED_DRAWDOWN = 0.15
_TRENDING = 1.0  # standard deviations that the fitted line covers in the window


class MarketState(StrEnum):
    """What the market is like."""

    CALM = "calm"
    TRENDING = "trending"
    STRESSED = "stressed"


class Condition(NamedTuple):
    """The market over the window.

    trend: what the fitted line covers, in standard deviations of the window's moves, with its sign;
    volatility: of a year; drawdown: share lost from the window's highest close.
    """

    state: MarketState
    trend: float
    volatility: float
    drawdown: float


class MarketConditionAnalyzer:
    """The condition of a symbol's market on a day, kept for a while. timer: the clock of that."""

    def __init__(self, history: History, *, ttl: float = 60.0, timer: Callable[[], float] = time.monotonic) -> None:
        self._history = history
        keep: TTLCache[object, Condition] = TTLCache(4096, ttl, timer)
        self.analyze = cached(keep, lock=Lock())(self._analyze)

    def _analyze(self, symbol: str, day: date) -> Condition:
        return condition_of(self._history.window(symbol, day, _WINDOW))


def condition_of(bars: Sequence[Bar]) -> Condition:
    """The condition that these bars tell; it takes three."""
    if len(bars) < 3:
        raise MarketError(f"a market's condition takes 3 bars, and there are {len(bars)}; choose a later day")
    closes = [bar.close for bar in bars]
    moved, swings, lost = trend(closes), volatility(closes), drawdown(closes)
    if swings >= _STRESSED_VOLATILITY or lost >= _STRESSED_DRAWDOWN:
        state = MarketState.STRESSED
    else:
        state = MarketState.TRENDING if abs(moved) >= _TRENDING else MarketState.CALM
    return Condition(state, moved, swings, lost)


def volatility(closes: Sequence[float]) -> float:
    """Realised volatility of a year: the sample deviation of the daily log returns, scaled up."""
    return _deviation(_returns(closes)) * math.sqrt(_YEAR)


def drawdown(closes: Sequence[float]) -> float:
    """Share that the last close lies under the highest."""
    return 1 - closes[-1] / max(closes)


def trend(closes: Sequence[float]) -> float:
    """What the least-squares line through the log closes covers, against a random walk's deviation."""
    steps = len(closes) - 1
    daily = _deviation(_returns(closes))
    middle = steps / 2
    logs = [math.log(close) for close in closes]
    slope = sum((at - middle) * log for at, log in enumerate(logs)) / sum(
        (at - middle) ** 2 for at in range(steps + 1)
    )
    covered = slope * steps
    if daily < 1e-12:  # no deviation but what rounding leaves: a straight line, or none at all
        return math.copysign(math.inf, covered) if abs(covered) > 1e-9 else 0.0
    return covered / (daily * math.sqrt(steps))


def _returns(closes: Sequence[float]) -> list[float]:
    return [math.log(after / before) for before, after in pairwise(closes)]


def _deviation(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
