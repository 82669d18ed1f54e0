"""Readings of one kind add up: rounded once for whoever looks at them, and without a loss for whoever adds on."""

from fractions import Fraction
from math import inf, isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading

AMOUNTS = st.lists(st.floats(0, 1e18), min_size=1, max_size=8)
LIMIT = 160


def native(total, count=1):
    """Exponential buckets of so many events, which come to so much."""
    return NativeHistogram(count, total, 3, 0.0, 0, [BucketSpan(0, 1)], [], [count], [], [])


def histogram(amount):
    """A reading whose every float is the amount."""
    return HistogramReading((amount, amount), amount, native=native(amount))


KINDS = {
    "counter": (CounterReading, lambda reading: [reading.total]),
    "gauge": (GaugeReading, lambda reading: [reading.value]),
    "histogram": (
        histogram,
        lambda reading: [*reading.running, reading.total, reading.native.sum_value],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@given(AMOUNTS)
def test_a_sum_is_rounded_once_and_none_of_it_is_lost(kind, amounts):
    """The first reading is what is shown; all of them come to the true sum."""
    made, floats = KINDS[kind]
    readings = [made(amount) for amount in amounts]
    true = sum(map(Fraction, amounts))
    exact = type(readings[0]).exact(readings, LIMIT)
    assert set(floats(exact[0])) == set(floats(type(readings[0]).added_up(readings, LIMIT))) == {float(true)}
    for column in zip(*map(floats, exact), strict=True):
        assert sum(map(Fraction, column)) == true


@pytest.mark.parametrize("kind", KINDS)
@given(AMOUNTS)
def test_what_takes_a_reading_off_leaves_what_there_was(kind, amounts):
    """To the last digit, and no exponential bucket."""
    made, floats = KINDS[kind]
    readings = [made(amount) for amount in amounts]
    first, *others = readings
    rest = type(first).added_up([*readings, *[other.negative for other in others]], LIMIT)
    assert floats(rest) == floats(first)
    if kind == "histogram":
        assert (rest.native.count_value, rest.native.pos_deltas) == (1, [1])


def test_whole_numbers_of_events_have_no_bound():
    """A float would lose some of them."""
    readings = [HistogramReading((2**60 + 1, 2**62 + 1))] * 3
    for found in (HistogramReading.added_up(readings), *HistogramReading.exact(readings, LIMIT)):
        assert found.running == (3 * (2**60 + 1), 3 * (2**62 + 1))


@pytest.mark.parametrize("kind", [CounterReading, GaugeReading])
def test_what_is_no_number_adds_up_as_floats_do(kind):
    """And does not keep the search for the exact sum from ending."""
    for amounts, expected in (([1.0, inf], inf), ([1.7e308, 1.7e308], inf)):
        found = kind.exact([kind(amount) for amount in amounts], LIMIT)
        assert [reading[0] for reading in found] == [expected]
    (found,) = kind.exact([kind(inf), kind(-inf)], LIMIT)
    assert isnan(found[0])


def test_the_last_exemplar_and_the_first_beginning_count():
    """Of each bucket; whoever tells neither changes nothing."""
    early, late = (Exemplar({"seen": str(when)}, 1.0, when) for when in (5.0, 7.0))
    parts = [
        HistogramReading((1, 2), 1.0, 30.0, {0: late, 1: early}),
        HistogramReading((1, 2), None, None),
        HistogramReading((1, 2), 2.0, 20.0, {0: early}),
    ]
    for order in (parts, parts[::-1]):
        assert HistogramReading.added_up(order) == ((3, 6), 3.0, 20.0, {0: late, 1: early}, None)
    counters = [CounterReading(1.0, 30.0, early), CounterReading(2.0, 20.0, late), CounterReading(4.0)]
    for order in (counters, counters[::-1]):
        assert CounterReading.added_up(order) == (7.0, 20.0, late, None)


def test_what_a_counter_had_before_its_reset_is_part_of_the_whole():
    """Of each of those that are added up."""
    before = CounterReading(5.0, 10.0, Exemplar({}, 1.0, 3.0))
    reading = CounterReading(2.0, 20.0, None, before)
    assert reading.whole == (7.0, 10.0, before.exemplar, None)
    assert CounterReading.added_up([reading, reading]) == (14.0, 10.0, before.exemplar, None)


def test_what_several_processes_set_was_set_when_the_first_of_them_says():
    """A gauge that is summed says by it whether the program writes the value."""
    assert GaugeReading.added_up([GaugeReading(1.0, 5.0), GaugeReading(2.0, 7.0)]) == (3.0, 5.0)
    assert GaugeReading.added_up([GaugeReading(1.0), GaugeReading(2.0, 7.0)]) == (3.0, None)
