"""WeekClassifier: what kind of week it is, and what kind of time the weeks before make it."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from alluse.atr import LOOKBACK, History, wilder_atr
from alluse.bars import Bar
from alluse.errors import MarketError

__all__ = ["Regime", "Week", "WeekClass", "WeekClassifier", "class_of_move", "regime_of"]

_FLAT = 0.5  # average true ranges that a week moves less than when it is flat
_STRONG = 2.0  # and at least when it is strong
_TRAILING = 8  # weeks that make a regime
_TURN = 3  # points that tell a regime from an even one


class WeekClass(StrEnum):
    """A week by its move against the average true range before it."""

    STRONG_UP = "strong_up"
    UP = "up"
    FLAT = "flat"
    DOWN = "down"
    STRONG_DOWN = "strong_down"


class Regime(StrEnum):
    """The time that the trailing weeks make."""

    RISING = "rising"
    SIDEWAYS = "sideways"
    FALLING = "falling"


class Week(NamedTuple):
    """A week up to a day of it. move: from the close of the week before, in average true ranges."""

    kind: WeekClass
    move: float
    regime: Regime


class WeekClassifier:
    """Classifies the week, Monday to Friday, that a day lies in, up to that day."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.move = lru_cache(maxsize=4096)(self._move)
        self.classify = lru_cache(maxsize=4096)(self._classify)

    def _classify(self, symbol: str, day: date) -> Week:
        _, earlier = _split(self._history.window(symbol, day, LOOKBACK))
        ends = [list(bars)[-1].day for _, bars in groupby(earlier, key=_week)]
        # The first weeks of the data have too few bars before them for an average.
        trailing = [end for end in ends[-_TRAILING:] if self._measurable(symbol, end)]
        move = self.move(symbol, day)
        return Week(class_of_move(move), move, regime_of([class_of_move(self.move(symbol, end)) for end in trailing]))

    def _move(self, symbol: str, day: date) -> float:
        this, earlier = _split(self._history.window(symbol, day, LOOKBACK))
        atr = wilder_atr(earlier)
        return (this[-1].close - earlier[-1].close) / atr if atr else 0.0

    def _measurable(self, symbol: str, day: date) -> bool:
        try:
            self.move(symbol, day)
        except MarketError:
            return False
        return True


def class_of_move(move: float) -> WeekClass:
    """The class of a week that moved by that many average true ranges."""
    if abs(move) < _FLAT:
        return WeekClass.FLAT
    if move > 0:
        return WeekClass.STRONG_UP if move >= _STRONG else WeekClass.UP
    return WeekClass.STRONG_DOWN if -move >= _STRONG else WeekClass.DOWN


def regime_of(classes: Sequence[WeekClass]) -> Regime:
    """The regime of those weeks: a point for up, two for strong up, and the same the other way."""
    points = sum(_POINTS[each] for each in classes)
    if abs(points) < _TURN:
        return Regime.SIDEWAYS
    return Regime.RISING if points > 0 else Regime.FALLING


_POINTS = {
    WeekClass.STRONG_UP: 2,
    WeekClass.UP: 1,
    WeekClass.FLAT: 0,
    WeekClass.DOWN: -1,
    WeekClass.STRONG_DOWN: -2,
}


def _week(bar: Bar) -> tuple[int, int]:
    year, week, _ = bar.day.isocalendar()
    return year, week


def _split(bars: Sequence[Bar]) -> tuple[Sequence[Bar], Sequence[Bar]]:
    """The bars of the last bar's week, and those before."""
    week = _week(bars[-1])
    first = next((at for at in range(len(bars) - 1, -1, -1) if _week(bars[at]) != week), -1) + 1
    return bars[first:], bars[:first]
