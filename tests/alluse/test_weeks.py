"""Tests of alluse.weeks."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from alluse.bars import read_bars
from alluse.errors import MarketError
from alluse.weeks import Regime, WeekClass, WeekClassifier, class_of_move, regime_of

MONDAY = date(2008, 1, 7)


@pytest.mark.parametrize(
    ("move", "kind"),
    [
        (9.0, WeekClass.STRONG_UP),
        (2.0, WeekClass.STRONG_UP),
        (1.999, WeekClass.UP),
        (0.5, WeekClass.UP),
        (0.499, WeekClass.FLAT),
        (0.0, WeekClass.FLAT),
        (-0.499, WeekClass.FLAT),
        (-0.5, WeekClass.DOWN),
        (-1.999, WeekClass.DOWN),
        (-2.0, WeekClass.STRONG_DOWN),
        (-9.0, WeekClass.STRONG_DOWN),
    ],
)
def test_boundaries_of_the_classes(move: float, kind: WeekClass):
    """A week is flat under half an average range, and strong from two on, either way."""
    assert class_of_move(move) is kind


@pytest.mark.parametrize(
    ("classes", "regime"),
    [
        ([], Regime.SIDEWAYS),
        ([WeekClass.STRONG_UP], Regime.SIDEWAYS),
        ([WeekClass.STRONG_UP, WeekClass.UP], Regime.RISING),
        ([WeekClass.UP] * 4 + [WeekClass.STRONG_DOWN], Regime.SIDEWAYS),
        ([WeekClass.DOWN] * 3 + [WeekClass.FLAT] * 5, Regime.FALLING),
    ],
)
def test_boundaries_of_the_regimes(classes: list[WeekClass], regime: Regime):
    """Three points more one way than the other make a regime."""
    assert regime_of(classes) is regime


def test_week_is_measured_from_the_friday_before(history, weekdays):
    """With an average range of 2, three weeks at 100 and then 103 on a Wednesday are a move of 1.5."""
    bars = weekdays(MONDAY, [100.0] * 20 + [101.0, 102.0, 103.0])
    assert bars[-1].day.weekday() == 2
    week = WeekClassifier(history(bars)).classify("X", bars[-1].day)
    assert week.kind is WeekClass.UP
    assert week.move == pytest.approx(1.5)


def test_holiday_does_not_split_a_week(history, weekdays):
    """A week without its Monday still starts at the close of the Friday before."""
    bars = weekdays(MONDAY, [100.0] * 20 + [500.0, 102.0])
    del bars[20]
    assert WeekClassifier(history(bars)).classify("X", bars[-1].day).move == pytest.approx(1.0)


def test_week_that_spans_the_new_year_is_one(history, weekdays):
    """31 December 2007 and 2 January 2008 are days of the same week."""
    bars = weekdays(date(2007, 12, 3), [100.0] * 20 + [102.0, 104.0, 106.0])
    assert bars[20].day == date(2007, 12, 31)
    assert WeekClassifier(history(bars)).classify("X", bars[-1].day).move == pytest.approx(3.0)


def test_rising_weeks_make_a_rising_regime(history, weekdays):
    """A price that climbs steadily is in a rising regime, one that falls in a falling one."""
    climbing = weekdays(MONDAY, [100.0 + at for at in range(80)])
    falling = weekdays(MONDAY, [200.0 - at for at in range(80)])
    assert WeekClassifier(history(climbing)).classify("X", climbing[-1].day).regime is Regime.RISING
    assert WeekClassifier(history(falling)).classify("X", falling[-1].day).regime is Regime.FALLING


def test_first_weeks_of_the_data_are_refused(history, weekdays):
    """Without an average range there is no class."""
    bars = weekdays(MONDAY, [100.0] * 12)
    with pytest.raises(MarketError, match="choose a later day"):
        WeekClassifier(history(bars)).classify("X", bars[-1].day)


def test_weeks_of_the_bundled_prices(history):
    """The week of Google's first quarterly report jumped; that of 18 January 2008 fell."""
    bars = read_bars(Path(str(files("alluse") / "data" / "goog_daily.csv")))
    classifier = WeekClassifier(history(bars))
    assert classifier.classify("GOOG", date(2004, 10, 22)).kind is WeekClass.STRONG_UP
    assert classifier.classify("GOOG", date(2008, 1, 18)).kind in (WeekClass.DOWN, WeekClass.STRONG_DOWN)


def test_second_look_is_answered_by_the_cache(history, weekdays):
    """The same day is classified once."""
    bars = weekdays(MONDAY, [100.0] * 40)
    classifier = WeekClassifier(history(bars))
    assert classifier.classify("X", bars[-1].day) == classifier.classify("X", bars[-1].day)
    assert classifier.classify.cache_info()[:2] == (1, 1)
