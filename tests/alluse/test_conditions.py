"""Tests of alluse.conditions."""

import math
import statistics
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alluse.conditions import MarketConditionAnalyzer, MarketState, condition_of, drawdown, trend, volatility
from alluse.errors import MarketError

MONDAY = date(2008, 1, 7)
PRICES = st.lists(st.floats(1, 1000), min_size=3, max_size=40)


def test_volatility_is_the_deviation_of_log_returns():
    """Returns of ln 1.1 and -ln 1.1 deviate by ln 1.1 times the root of 2, and a year has 252 days."""
    assert volatility([100, 110, 100]) == pytest.approx(math.log(1.1) * math.sqrt(2) * math.sqrt(252))


def test_drawdown_is_the_share_lost_from_the_top():
    """From 200 to 150 a quarter is lost; at the top nothing is."""
    assert drawdown([100, 200, 150]) == 0.25
    assert drawdown([100, 150, 200]) == 0


@given(PRICES)
def test_trend_agrees_with_the_standard_librarys_line(closes: list[float]):
    """The slope is that of statistics.linear_regression through the log closes."""
    logs = [math.log(close) for close in closes]
    deviation = statistics.stdev(after - before for before, after in pairwise(logs))
    if deviation > 1e-6:
        slope = statistics.linear_regression(range(len(logs)), logs).slope
        steps = len(logs) - 1
        assert trend(closes) == pytest.approx(slope * steps / (deviation * math.sqrt(steps)), abs=1e-6)


@pytest.mark.parametrize(
    ("closes", "state"),
    [
        ([100 + (at % 2) for at in range(21)], MarketState.CALM),
        ([100 * 1.01**at for at in range(21)], MarketState.TRENDING),
        ([100 * 0.995**at for at in range(21)], MarketState.TRENDING),
        ([100 + 10 * (at % 2) for at in range(21)], MarketState.STRESSED),
        ([100.0] * 20 + [84.0], MarketState.STRESSED),
        ([100.0] * 21, MarketState.CALM),
    ],
    ids=["to and fro", "climb", "slide", "wild", "fall", "still"],
)
def test_states(weekdays, closes: list[float], state: MarketState):
    """Stressed by volatility or drawdown, else trending by the line, else calm."""
    assert condition_of(weekdays(MONDAY, closes)).state is state


def test_two_bars_are_refused(weekdays):
    """A deviation takes two returns."""
    with pytest.raises(MarketError, match="takes 3 bars, and there are 2"):
        condition_of(weekdays(MONDAY, [100.0, 101.0]))


def test_condition_is_kept_for_a_while(history, weekdays):
    """The second look at a day finds the first one's answer."""
    bars = weekdays(MONDAY, [100.0] * 21)
    analyzer = MarketConditionAnalyzer(history(bars))
    assert analyzer.analyze("X", bars[-1].day) is analyzer.analyze("X", bars[-1].day)
