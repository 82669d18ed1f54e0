"""What removed series had come to is kept, where the registry's companion asks for it."""

import gc
import itertools
import threading
import weakref
from functools import partial

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.samples import NativeHistogram

from interrupting import interrupted
from manometer import Counter, Gauge, Histogram
from manometer.meters.ended import _UNREAD
from manometer.meters.fork import Forked
from manometer.meters.readings import CounterReading, HistogramReading
from manometer.registry.self_metrics import SelfMetrics
from waiting import joined


@pytest.fixture
def keeping():
    """A registry whose companion keeps what removed series had come to."""
    registry = CollectorRegistry()
    SelfMetrics.beside(registry).keeps_ended = True
    return registry


def added_up(group):
    """The series of the group, each with what removed ones of its label values had come to."""
    readings = {}
    for values, reading in [*group.ended, *group.series]:
        readings.setdefault(values, []).append(reading)
    return [(values, type(each[0]).added_up(each)) for values, each in readings.items()]


def lasting(meter):
    """The totals of a counter's series, removed ones too, by label values."""
    return {values: reading.total for values, reading in added_up(meter.family().groups[0])}


def shown(meter):
    """The totals of a counter's series that are there."""
    return {values: reading.total for values, reading in meter.read()}


REMOVALS = {
    "remove": lambda counter: counter.remove("x", 1),
    "remove_by_labels": lambda counter: counter.remove_by_labels({"b": 1}),
    "clear": lambda counter: counter.clear(),
    "discard": lambda counter: counter.discard(counter.labels("x", 1)),
}


REPLACED = {**REMOVALS, "replace": lambda counter: counter.expose(counter.apart(("x", "1")))}


@pytest.mark.parametrize("handler", REPLACED)
@pytest.mark.parametrize("step", REPLACED)
def test_a_series_is_kept_once_where_a_handler_removes_it_amid_its_removal(keeping, step, handler):
    """Wherever the handler comes."""
    for at in itertools.count(1):
        counter = Counter(f"c{at}", "Help.", ["a", "b"], registry=keeping)
        counter.labels("x", 1).inc(3)
        came = interrupted(partial(REPLACED[step], counter), partial(REPLACED[handler], counter), at)
        counter.labels("x", 1).inc(10)
        assert lasting(counter) == {("x", "1"): 13}
        if not came:
            break


@pytest.mark.parametrize("removal", REMOVALS)
def test_a_removed_series_is_kept_and_not_shown(keeping, removal):
    """Its writers may go on; a new series of the same label values is added to it."""
    counter = Counter("c", "Help.", ["a", "b"], registry=keeping)
    series = counter.labels("x", 1)
    series.inc(3)
    REMOVALS[removal](counter)
    assert (shown(counter), lasting(counter)) == ({}, {("x", "1"): 3})
    series.inc(2)
    assert lasting(counter) == {("x", "1"): 5}
    counter.labels("x", 1).inc(10)
    counter.labels("y", 1).inc(100)
    assert shown(counter) == {("x", "1"): 10, ("y", "1"): 100}
    assert lasting(counter) == {("x", "1"): 15, ("y", "1"): 100}
    REMOVALS[removal](counter)
    assert lasting(counter)["x", "1"] == 15


def test_a_replaced_series_is_kept(keeping):
    """The one in its place begins from zero."""
    counter = Counter("c", "Help.", ["l"], registry=keeping)
    old = counter.labels("x")
    old.inc(3)
    new = counter.expose(counter.apart(("x",)))
    new.inc(1)
    assert new is counter.labels("x")
    assert (shown(counter), lasting(counter)) == ({("x",): 1}, {("x",): 4})


def test_removing_what_is_not_there_removes_nothing(keeping):
    """Neither the series of other label values nor the one that has taken the place of a discarded one."""
    counter = Counter("c", "Help.", ["l"], registry=keeping)
    old = counter.labels("x")
    new = counter.expose(counter.apart(("x",)))
    counter.remove("y")
    counter.remove_by_labels({})
    counter.remove_by_labels({"l": "y"})
    counter.discard(old)
    counter.discard(counter.apart(("y",)))
    new.clear()  # a series has no labelled series
    assert shown(counter) == {("x",): 0}
    assert counter.labels("x") is new


@pytest.mark.parametrize("make", [lambda: None, CollectorRegistry])
def test_nothing_is_kept_where_nobody_asks(make):
    """A meter on no registry, and one of a registry for this process alone."""
    counter = Counter("c", "Help.", ["l"], registry=make())
    counter.labels("x").inc(3)
    counter.remove("x")
    assert added_up(counter.family().groups[0]) == []


def test_gauges_are_not_kept(keeping):
    """A level is gone with its series: it does not add up."""
    gauge = Gauge("g", "Help.", ["l"], registry=keeping)
    gauge.labels("x").set(3)
    gauge.remove("x")
    gauge.expose(gauge.apart(("y",)))
    gauge.expose(gauge.apart(("y",)))
    assert added_up(gauge.family().groups[0]) == [(("y",), (0, 0))]


def test_many_removed_series_are_let_go(keeping):
    """Their figures stay, and only the last few are still there themselves."""
    counter = Counter("c", "Help.", ["l"], registry=keeping)
    gone = []
    for number in range(3 * _UNREAD):
        series = counter.labels(number % 5)
        series.inc(number)
        gone.append(weakref.ref(series))
        del series
        counter.remove(number % 5)
    gc.collect()
    assert sum(each() is not None for each in gone) < _UNREAD
    assert lasting(counter) == {(str(rest),): sum(range(rest, 3 * _UNREAD, 5)) for rest in range(5)}


@pytest.mark.parametrize(
    "removal",
    [
        lambda counter: counter.remove("x"),
        lambda counter: counter.remove_by_labels({"l": "x"}),
        lambda counter: counter.clear(),
        lambda counter: counter.discard(counter.labels("x")),
        lambda counter: counter.expose(counter.apart(("x",))),
    ],
)
def test_every_removal_lets_go_of_many(keeping, removal):
    """However a series is removed, memory is bounded."""
    counter = Counter("c", "Help.", ["l"], registry=keeping)
    first = weakref.ref(counter.labels("x"))
    for _ in range(_UNREAD):
        counter.labels("x").inc()
        removal(counter)
    gc.collect()
    assert first() is None
    assert sum(lasting(counter).values()) == _UNREAD


def test_removed_series_past_the_cap_add_up_in_other(keeping):
    """As many label values are told apart as a family may have series."""
    counter = Counter("c", "Help.", ["a", "b"], registry=keeping, max_series=2)
    for value in (*range(5), 1):
        counter.labels(value, "y").inc(10**value)
        counter.clear()
    assert lasting(counter) == {("0", "y"): 1, ("1", "y"): 20, ("other", "other"): 11100}


def test_a_series_that_is_being_read_holds_up_nobody_else(keeping):
    """Another thread that wants a series does not wait for the reading of a removed one."""
    counter = Counter("c", "Help.", ["l"], registry=keeping)
    series = counter.labels("x")
    counter.remove("x")
    with series.pending.lock:
        reading = threading.Thread(target=lambda: lasting(counter))
        reading.start()
        making = threading.Thread(target=lambda: counter.labels("new").inc())
        making.start()
        joined(making)
    joined(reading)
    assert lasting(counter) == {("x",): 0, ("new",): 1}


def test_histograms_add_up_in_all_they_show(keeping):
    """Both kinds of buckets, the sum, the earliest time of creation, and of each bucket the last exemplar."""
    histogram = Histogram("h", "Help.", ["l"], registry=keeping, buckets=(1, 2), native_schema=0)
    removed = histogram.labels("x")
    for amount in (0.5, 1.5, 1.5):
        removed.observe(amount, {"trace_id": f"removed {amount}"})
    created = removed.read()[0][1].created
    histogram.remove("x")
    for amount in (1.5, 5):
        histogram.labels("x").observe(amount, {"trace_id": f"new {amount}"})
    ((values, reading),) = added_up(histogram.family().groups[0])
    assert values == ("x",)
    assert (reading.running, reading.total, reading.created) == ((1, 4, 5), 10, created)
    assert [reading.exemplars[at].labels["trace_id"] for at in range(3)] == ["removed 0.5", "new 1.5", "new 5"]
    native = reading.native
    assert isinstance(native, NativeHistogram)
    assert (native.count_value, native.sum_value) == (5, 10)
    assert {each.labels["trace_id"] for each in native.nh_exemplars} == {"removed 0.5", "new 1.5", "new 5"}


def test_native_buckets_add_up_without_a_loss(keeping):
    """However many they are together: each part had no more than it may have."""
    histogram = Histogram("h", "Help.", ["l"], registry=keeping, native_schema=8, max_native_buckets=300)
    for first in (0, 300):
        for at in range(first, first + 300):
            histogram.labels("x").observe(2 ** ((at + 0.5) / 256))
        if not first:
            histogram.clear()
    ((_, reading),) = added_up(histogram.family().groups[0])
    assert (reading.native.schema, len(reading.native.pos_deltas)) == (8, 600)


def test_histograms_of_other_buckets_do_not_add_up():
    """Not as far as the shorter one goes, either."""
    readings = [
        Histogram("h", "Help.", registry=None, buckets=buckets).read()[0][1] for buckets in ((1, 2), (1, 2, 3))
    ]
    with pytest.raises(ValueError, match=r"^histograms of differing buckets do not add up$"):
        HistogramReading.added_up(readings)


def test_what_a_part_does_not_show_the_whole_does_not_show():
    """The sum of a histogram with negative bounds, times of creation that are switched off, native buckets."""
    plain = Histogram("h", "Help.", registry=None, buckets=(-1, 1))
    plain.observe(0.5)
    reading = plain.read()[0][1]
    assert reading.total is None
    whole = HistogramReading.added_up([reading._replace(created=None)] * 2)
    assert whole == ((0, 2, 2), None, None, {}, None)
    assert HistogramReading.added_up([reading._replace(created=None), reading._replace(created=5.0)]).created == 5.0


def test_counters_add_up_in_all_they_show():
    """The total, the earliest time of creation, and the last exemplar that there is."""
    one, other, last = (Counter("c", "Help.", registry=None) for _ in range(3))
    one.inc(2, {"trace_id": "one"})
    other.inc(3, {"trace_id": "other"})
    last.inc(4)
    readings = [meter.read()[0][1] for meter in (one, other, last)]
    whole = CounterReading.added_up([reading._replace(created=9.0 - at) for at, reading in enumerate(readings)])
    assert (whole.total, whole.created, whole.exemplar.labels) == (9, 7.0, {"trace_id": "other"})


def test_a_forked_child_keeps_nothing_of_its_parent(keeping):
    """But where figures of the child are among those of its parent, they stay."""
    counter = Counter("c", "Help.", ["l"], registry=keeping)
    for _ in range(_UNREAD + 1):  # some of them read, and one not
        counter.labels("x").inc()
        counter.remove("x")
    for forked in (Forked.LATE, Forked.HEIR):
        counter.renew(forked)
        assert lasting(counter) == {("x",): _UNREAD + 1}
    counter.renew(Forked.AT_ONCE)
    assert lasting(counter) == {}
