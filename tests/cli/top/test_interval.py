"""Rates and quantiles come out as Prometheus's."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manometer.cli.top.interval import Interval, quantile
from manometer.cli.top.scrape import parse


def _interval(before, after, seconds=2.0):
    return Interval(parse(before, at=10.0), parse(after, at=10.0 + seconds))


def test_a_rate_is_growth_by_time():
    """Over all series with the labels asked for, or over one."""
    interval = _interval(
        'c_total{a="1",b="x"} 10\nc_total{a="1",b="y"} 0\n', 'c_total{a="1",b="x"} 16\nc_total{a="1",b="y"} 2\n'
    )
    assert interval.rate("c_total", {"a": "1"}) == 4.0
    assert interval.rate("c_total", {"a": "1", "b": "y"}) == 1.0


def test_a_counter_that_fell_was_reset_and_grew_from_zero():
    """As `rate` has it: a restarted program does not show a negative rate."""
    assert _interval("c_total 100\n", "c_total 6\n").rate("c_total") == 3.0


def test_without_two_readings_there_is_no_rate():
    """A series that was not there before, or is gone, is no 0."""
    assert _interval("other 1\n", "c_total 6\n").rate("c_total") is None
    assert _interval("c_total 6\n", "other 1\n").rate("c_total") is None
    assert _interval("c_total 6\n", "c_total 6\n", seconds=0).rate("c_total") is None


def test_a_gauge_is_the_later_reading():
    """Summed over series; one that is not there, or is NaN, is no 0."""
    interval = _interval("", 'g{a="1"} 2\ng{a="2"} 3\nnan NaN\n')
    assert interval.gauge("g") == 5.0
    assert interval.gauge("g", {"a": "2"}) == 3.0
    assert interval.gauge("g", {"a": "3"}) is None
    assert interval.gauge("nan") is None


def test_identities_are_the_label_values_there_are():
    """Sorted, each once."""
    interval = _interval("", 'g{a="2",b="x"} 2\ng{a="1",b="x"} 3\ng{a="1",b="y"} 3\n')
    assert interval.identities("g", "a") == [("1",), ("2",)]
    assert interval.identities("g", "b", "a") == [("x", "1"), ("x", "2"), ("y", "1")]
    assert interval.identities("h", "a") == []
    assert interval.identities("g", "c") == [("",)]


def test_a_quantile_is_of_what_happened_between_the_readings():
    """Not of all that was ever observed; and over several series."""
    before = 'h_bucket{le="1"} 1000\nh_bucket{le="2"} 1000\nh_bucket{le="+Inf"} 1000\n'
    after = 'h_bucket{le="1"} 1000\nh_bucket{le="2"} 1010\nh_bucket{le="+Inf"} 1010\n'
    assert _interval(before, after).quantile(0.5, "h") == 1.5
    assert _interval(before, before).quantile(0.5, "h") is None
    assert _interval("", after).quantile(0.5, "h") is None


def test_the_lowest_bound_is_the_finest_that_can_be_told():
    """Of the histograms asked for; none where there is none."""
    interval = _interval("", 'h_bucket{a="1",le="+Inf"} 1\nh_bucket{a="1",le="2"} 1\nh_bucket{a="2",le="1"} 1\n')
    assert interval.finest("h", {"a": "1"}) == 2.0
    assert interval.finest("h") == 1.0
    assert interval.finest("h", {"a": "3"}) is None


@pytest.mark.parametrize(
    ("q", "buckets", "expected"),
    [
        (0.5, {1.0: 10, 2.0: 10, inf: 10}, 0.5),
        (0.5, {1.0: 0, 2.0: 10, inf: 10}, 1.5),
        (0.9, {1.0: 5, 2.0: 10, 4.0: 10, inf: 10}, 1.8),
        (0.5, {1.0: 5, 2.0: 10, inf: 10}, 1.0),
        (0.99, {1.0: 1, 2.0: 1, inf: 10}, 2.0),
        (0.5, {-1.0: 10, 2.0: 10, inf: 10}, -1.0),
        (0.5, {1.0: 10, 2.0: 9, inf: 10}, 0.5),
        (1.0, {1.0: 10, 2.0: 9, inf: 9}, 1.0),
        (0.5, {1.0: 0, inf: 5}, 1.0),
        (0.5, {1.0: 1, inf: 1}, 0.5),
        (0.0, {1.0: 0, 2.0: 10, inf: 10}, 0.0),
        (0.5, {1.0: 0, inf: 0}, None),
        (0.5, {1.0: 5, 2.0: 10}, None),
        (0.5, {inf: 10}, None),
        (0.5, {}, None),
        (1.0, {1.0: 5, 2.0: 10, inf: 10}, 2.0),
        (0.0, {1.0: 5, 2.0: 10, inf: 10}, 0.0),
    ],
)
def test_quantiles_are_interpolated_as_histogram_quantile_does(q, buckets, expected):
    """Cases by hand from its definition, odd ones included."""
    assert quantile(q, buckets) == expected


@given(st.lists(st.floats(0, 100), min_size=2, max_size=9), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise_with_their_share(counts, low, high):
    """Whatever the counts, torn ones included, a higher share has no lower quantile, within the bounds."""
    buckets = {float(number + 1): count for number, count in enumerate(counts[:-1])} | {inf: counts[-1]}
    low, high = sorted((low, high))
    first, second = quantile(low, buckets), quantile(high, buckets)
    if first is None:
        assert second is None
    else:
        assert -1e-9 <= first <= second + 1e-9 <= len(counts) - 1 + 2e-9
