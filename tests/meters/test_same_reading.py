"""A series gives the very same reading while nothing was written, so that a reader knows what has not changed."""

import gc

import pytest
from prometheus_client import metrics

from manometer import Counter, Gauge, Histogram
from manometer.meters.write_buffer import PENDING_LIMIT

KINDS = (Counter, Gauge, Histogram)
EXEMPLAR = {"trace_id": "a"}
EXPONENTIAL = {"native_schema": 3}


def made(kind, **settings):
    """A meter of a kind, on no registry."""
    return kind("m", "Help.", registry=None, **settings)


def reading_of(meter):
    """The reading of its one series."""
    ((_, reading),) = meter.read()
    return reading


WRITES = {
    "inc": (Counter, {}, lambda meter: meter.inc()),
    "inc with an exemplar": (Counter, {}, lambda meter: meter.inc(1, EXEMPLAR)),
    "inc by nothing with an exemplar": (Counter, {}, lambda meter: meter.inc(0, EXEMPLAR)),
    "tick": (Counter, {}, lambda meter: meter.tick()),
    "reset": (Counter, {}, lambda meter: meter.reset()),
    "gauge's inc": (Gauge, {}, lambda meter: meter.inc()),
    "observe": (Histogram, {}, lambda meter: meter.observe(1)),
    "observe with an exemplar": (Histogram, {}, lambda meter: meter.observe(1, EXEMPLAR)),
    "observe in exponential buckets": (Histogram, EXPONENTIAL, lambda meter: meter.observe(1)),
    "observe in them with an exemplar": (Histogram, EXPONENTIAL, lambda meter: meter.observe(1, EXEMPLAR)),
    "renew a counter": (Counter, {}, lambda meter: meter.renew()),
    "renew a histogram": (Histogram, {}, lambda meter: meter.renew()),
}


@pytest.mark.parametrize("folds_itself", [False, True])
@pytest.mark.parametrize(("kind", "settings", "write"), WRITES.values(), ids=WRITES)
def test_a_write_makes_another_reading(kind, settings, write, folds_itself):
    """Once, whether the collection folds the write or the writer does; until the next write it stays."""
    meter = made(kind, **settings)
    readings = [reading_of(meter)]
    for _ in range(3):
        for _ in range(PENDING_LIMIT if folds_itself else 1):
            write(meter)
        readings += [reading_of(meter), reading_of(meter)]
        assert readings[-1] is readings[-2]
        assert readings[-2] is not readings[-3]


def test_a_value_that_is_set_again_is_another_reading_where_the_time_counts():
    """Of a gauge whose most recent value counts among several processes."""
    gauge, value = made(Gauge, multiprocess_mode="mostrecent"), 5.0
    readings = []
    for _ in range(3):
        gauge.set(value)
        readings += [reading_of(gauge), reading_of(gauge)]
    assert len(set(map(id, readings))) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_the_readings_of_children_stay_apart(kind):
    """Only the one that was written to has a new reading."""
    meter = made(kind, labelnames=["l"])
    for value in "abc":
        meter.labels(value)
    before = dict(meter.read())
    write = {Counter: "inc", Gauge: "set", Histogram: "observe"}[kind]
    getattr(meter.labels("b"), write)(7)
    after = dict(meter.read())
    assert [values for values in before if after[values] is not before[values]] == [("b",)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_of_the_value_alone_takes_no_change_away(kind):
    """The events that it folds are a change for the next reading all the same."""
    meter = made(kind)
    before = reading_of(meter)
    getattr(meter, {Counter: "inc", Gauge: "set", Histogram: "observe"}[kind])(7)
    with meter.pending.lock:
        meter.pending.drain()
    assert reading_of(meter) is not before


@pytest.mark.parametrize("kind", [Counter, Histogram])
def test_the_switch_of_creation_times_makes_another_reading(kind, monkeypatch):
    """It is prometheus-client's, and may be moved at any time."""
    meter = made(kind)
    monkeypatch.setattr(metrics, "_use_created", True)
    shown = reading_of(meter)
    monkeypatch.setattr(metrics, "_use_created", False)
    hidden = reading_of(meter)
    assert (shown.created is None, hidden.created) == (False, None)
    assert reading_of(meter) is hidden
    monkeypatch.setattr(metrics, "_use_created", True)
    assert reading_of(meter) == shown


def test_a_reading_does_not_change():
    """Whoever keeps one finds in it what there was at its moment."""
    meter = made(Histogram, buckets=(1, 2), **EXPONENTIAL)
    meter.observe(1, EXEMPLAR)
    reading = reading_of(meter)
    before = [*reading.running], reading.total, dict(reading.exemplars), repr(reading.native)
    for amount in (0.5, 1.5, 3):
        meter.observe(amount, EXEMPLAR)
        reading_of(meter)
    assert ([*reading.running], reading.total, dict(reading.exemplars), repr(reading.native)) == before


@pytest.mark.parametrize(
    ("kind", "write"),
    [(Counter, lambda meter: meter.inc()), (Histogram, lambda meter: meter.observe(1))],
    ids=["counter", "histogram"],
)
def test_a_write_amid_a_reading_is_in_the_next(kind, write):
    """A gc callback writes and collects while a reading is being made: the older reading does not stay."""
    meter = made(kind, **(EXPONENTIAL if kind is Histogram else {}))
    calls = 0

    def callback(phase, info):
        nonlocal calls
        calls += 1
        write(meter)
        reading_of(meter)

    threshold = gc.get_threshold()
    gc.callbacks.append(callback)
    gc.set_threshold(1)
    try:
        for _ in range(200):
            write(meter)
            reading_of(meter)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(callback)
    assert calls > 200
    last = reading_of(meter)
    assert (last.total if kind is Counter else last.running[-1]) == 200 + calls
