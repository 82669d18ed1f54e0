"""The trend knows a leak from a program that fills its caches, and from one whose memory comes and goes."""

import re

import pytest

from manometer.heap import trend
from manometer.heap.trend import Trend
from manometer.mixin import rules
from manometer.mixin.thresholds import Thresholds

HOUR = 6  # periods
START = 5  # periods that do not count


def grows(floors, *, within=0):
    """Whether memory with that floor in each period, and that much on top in between, grows."""
    trend, now = Trend(period=600), 0.0
    for floor in floors:
        for size in (floor + within, floor, floor + within):
            trend.add(now, size)
            now += 200
    trend.add(now, floors[-1])
    return trend.grows


def leak(periods, an_hour, start=100_000_000):
    """The floors of memory that grows evenly."""
    return [start + round(an_hour * start * period / HOUR) for period in range(periods)]


def test_a_steady_growth_is_a_leak():
    """Over two hours, by more than a fiftieth an hour of what there is."""
    assert grows(leak(START + 2 * HOUR + 1, 0.03))


def test_what_is_on_top_of_the_floor_does_not_count():
    """As of requests that each take some memory for a while."""
    assert grows(leak(START + 2 * HOUR + 1, 0.03), within=500_000_000)
    assert not grows([100_000_000] * 30, within=500_000_000)


def test_two_hours_have_to_pass_after_the_start():
    """Until then, a program gets what it needs."""
    assert not grows(leak(START + 2 * HOUR, 0.03))


@pytest.mark.parametrize("an_hour", [0.0, 0.005, 0.015, -0.1])
def test_little_growth_is_none(an_hour):
    """That of a heap that settles."""
    assert not grows(leak(40, an_hour))


def test_a_program_that_has_filled_up_leaks_nothing():
    """It grew in the first hour, and not in the second."""
    filled = leak(START + HOUR + 1, 0.2)
    assert not grows([*filled, *[filled[-1]] * HOUR])


def test_a_step_is_no_leak():
    """It came in the last hour."""
    assert not grows([*[100_000_000] * (START + HOUR + 1), *[200_000_000] * HOUR])


def test_a_leak_that_ended_is_forgotten():
    """After two hours."""
    assert not grows([*leak(30, 0.1), *[200_000_000] * (2 * HOUR + 1)])


def test_it_says_when_it_is_worth_asking():
    """As each period ends."""
    trend = Trend(period=600)
    assert [trend.add(now, 1) for now in (0, 300, 600, 900, 1200, 2000)] == [False, False, True, False, True, True]


def test_the_figures_are_those_of_the_alert():
    """A program and its Prometheus mean the same by a leak."""
    limits = Thresholds().runtime
    (leak,) = (each for each in rules.alerts(Thresholds()) if each.name == "MemoryLeak")
    assert limits.leak_ratio == trend._GROWTH
    assert {float(each) for each in re.findall(r"> (1\.\d+) \*", leak.expr)} == {trend._RISE}
    waits = (trend._START + 2 * trend._HOUR + 1) * 3600 / trend._HOUR
    assert waits == pytest.approx(limits.leak_age.seconds, abs=3600 / trend._HOUR)
