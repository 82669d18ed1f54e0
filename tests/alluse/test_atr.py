"""Tests of alluse.atr."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alluse.atr import ATRAdjustmentSystem, true_range, wilder_atr
from alluse.bars import Bar
from alluse.errors import MarketError

DAY = date(2008, 1, 2)


def _bar(high: float, low: float, close: float) -> Bar:
    return Bar(DAY, close, high, low, close, 1)


def test_true_range_counts_the_gap():
    """It is the largest of high less low, and of either's distance from the close before."""
    assert true_range(_bar(12, 10, 11), close_before=11) == 2
    assert true_range(_bar(15, 14, 15), close_before=11) == 4
    assert true_range(_bar(9, 8, 8), close_before=11) == 3


def test_average_is_wilders():
    """Worked by hand for a period of 3: ranges 2, 4, 3 make 3; then (3*2+6)/3 = 4; then (4*2+1)/3 = 3."""
    bars = [
        _bar(11, 9, 10),
        _bar(12, 10, 11),
        _bar(15, 14, 15),
        _bar(13, 12, 12),
        _bar(18, 14, 18),
        _bar(18.5, 17.5, 18),
    ]
    assert wilder_atr(bars[:4], period=3) == pytest.approx(3)
    assert wilder_atr(bars[:5], period=3) == pytest.approx(4)
    assert wilder_atr(bars, period=3) == pytest.approx(3)


def test_too_few_bars_are_refused():
    """Fourteen ranges take fifteen bars."""
    with pytest.raises(MarketError, match="takes 15 bars, and there are 14 up to 2008-01-02"):
        wilder_atr([_bar(2, 1, 1.5)] * 14)


@given(
    st.lists(st.tuples(st.floats(1, 1000), st.floats(0, 50), st.floats(0, 1)), min_size=15, max_size=60),
    st.floats(0.1, 10),
)
def test_average_lies_within_the_ranges_and_scales(days: list[tuple[float, float, float]], factor: float):
    """An average is no smaller than the smallest range and no larger than the largest, in any currency."""
    bars = [_bar(low + span, low, low + span * at) for low, span, at in days]
    ranges = [true_range(after, before.close) for before, after in pairwise(bars)]
    atr = wilder_atr(bars)
    assert min(ranges) - 1e-9 <= atr <= max(ranges) + 1e-9
    scaled = [_bar(each.high * factor, each.low * factor, each.close * factor) for each in bars]
    assert wilder_atr(scaled) == pytest.approx(atr * factor, abs=1e-6)


def test_strikes_go_further_and_orders_shrink_with_the_swings(history, weekdays):
    """An average range of 2 puts the strike 3 off, and 50,000 USD a range make 250 contracts, cut to 100."""
    calm = weekdays(date(2008, 1, 7), [100.0] * 20)
    adjusted = ATRAdjustmentSystem(history(calm)).adjust("X", calm[-1].day)
    assert adjusted == (pytest.approx(2), pytest.approx(3), 100)
    wild = weekdays(date(2008, 1, 7), [100.0, 118.0] * 10)
    adjusted = ATRAdjustmentSystem(history(wild)).adjust("X", wild[-1].day)
    assert adjusted == (pytest.approx(20), pytest.approx(30), 25)
