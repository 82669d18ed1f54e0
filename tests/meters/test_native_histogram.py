"""A histogram counts the same events in exponential buckets, where it is asked to."""

import math
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from manometer import Histogram, MetricError
from manometer.catalogue.engine import STAGE_DURATION
from manometer.meters.write_buffer import PENDING_LIMIT
from manometer.registry.catalogued import meter
from waiting import joined


def native(histogram, name="h"):
    """The native histogram of the one series."""
    (found,) = [sample.native_histogram for sample in histogram.collect()[0].samples if sample.name == name]
    return found


def counted(found):
    """How many observations the buckets hold, the zero bucket among them."""
    total = found.zero_count
    for deltas in (found.pos_deltas, found.neg_deltas):
        count = 0
        for delta in deltas:
            count += delta
            total += count
    return total


def test_nothing_changes_where_it_is_not_asked_for():
    """No sample, and no bucket of a series, is there for it."""
    histogram = Histogram("h", "Help.", ["l"], registry=None)
    series = histogram.labels("x")
    series.observe(1)
    assert all(sample.native_histogram is None for sample in histogram.collect()[0].samples)
    assert series._exponential is None


def test_both_kinds_of_buckets_tell_of_the_same_events():
    """Classic samples are what they were, and one sample under the family's name carries the native ones."""
    plain, both = (
        Histogram("h", "Help.", ["l"], registry=None, buckets=(0.5, 1, 2), native_schema=schema)
        for schema in (None, 3)
    )
    for histogram in (plain, both):
        for amount in (0, 0.3, 1, 1.5, 100):
            histogram.labels("x").observe(amount)
    samples = [sample for sample in both.collect()[0].samples if not sample.name.endswith("_created")]
    assert samples[:-1] == [sample for sample in plain.collect()[0].samples if not sample.name.endswith("_created")]
    name, labels, value, _, _, found = samples[-1]
    assert (name, labels, value) == ("h", {"l": "x"}, 0.0)
    assert (found.count_value, found.sum_value, found.zero_count, found.schema) == (5, 102.8, 1, 3)
    assert counted(found) == 5


def test_no_buckets_leave_the_native_ones_alone():
    """Classic readers then find the sum and the count."""
    histogram = Histogram("h", "Help.", registry=None, buckets=(), native_schema=3)
    histogram.observe(2)
    classic = [
        (s.name, s.labels, s.value) for s in histogram.collect()[0].samples if not s.name.endswith("_created")
    ][:-1]
    assert classic == [("h_bucket", {"le": "+Inf"}, 1.0), ("h_count", {}, 1.0), ("h_sum", {}, 2.0)]
    assert native(histogram).count_value == 1


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=600), st.integers(-4, 8))
def test_count_sum_and_buckets_agree(amounts, schema):
    """NaN is in the count and in no bucket, and the sum is prometheus-client's."""
    histogram = Histogram("h", "Help.", registry=None, native_schema=schema)
    for amount in amounts:
        histogram.observe(amount)
    found = native(histogram)
    assert found.count_value == len(amounts)
    assert counted(found) == sum(not math.isnan(amount) for amount in amounts)
    total = next(s.value for s in histogram.collect()[0].samples if s.name == "h_sum")
    assert found.sum_value == total or (math.isnan(found.sum_value) and math.isnan(total))


def test_a_collection_is_atomic():
    """Under four writers of the value 1, both kinds of buckets and the sum are of one moment in every reading."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        histogram = Histogram("h", "Help.", registry=None, native_schema=3)
        writers = [threading.Thread(target=lambda: [histogram.observe(1) for _ in range(10_000)]) for _ in range(4)]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            figures = {sample.name: sample for sample in histogram.collect()[0].samples}
            found = figures["h"].native_histogram
            assert found.count_value == found.sum_value == counted(found) == figures["h_count"].value
        joined(*writers)
    finally:
        sys.setswitchinterval(interval)
    assert native(histogram).count_value == 40_000


def test_a_series_that_nobody_reads_stays_bounded():
    """Pending events and buckets both have an end, whatever comes."""
    histogram = Histogram("h", "Help.", registry=None, native_schema=8, max_native_buckets=20)
    for event in range(10 * PENDING_LIMIT):
        histogram.observe(1.01 ** (event % 500))
        assert len(histogram.pending.events) < PENDING_LIMIT
    found = native(histogram)
    assert len(found.pos_deltas) <= 20
    assert (found.schema, counted(found)) == (1, 10 * PENDING_LIMIT)


def test_native_exemplars_cover_the_spread():
    """The last one of each power of two is kept, and no more than ten; classic buckets keep theirs."""
    histogram = Histogram("h", "Help.", registry=None, buckets=(1, 10), native_schema=3)
    for power in range(20):
        histogram.observe(2.0**power, {"trace_id": "first"})
        histogram.observe(1.5 * 2.0**power, {"trace_id": str(power)})
    kept = native(histogram).nh_exemplars
    assert [exemplar.labels["trace_id"] for exemplar in kept] == [str(power) for power in range(10, 20)]
    assert all(exemplar.timestamp for exemplar in kept)
    classic = [s.exemplar.labels["trace_id"] for s in histogram.collect()[0].samples if s.exemplar]
    assert classic == ["first", "first", "19"]  # of 1, 8 and 1.5 * 2**19


@pytest.mark.parametrize("settings", [{"native_schema": 9}, {"native_schema": 3, "max_native_buckets": 0}])
def test_what_is_out_of_range_is_refused_where_it_is_written(settings):
    """Before the family is on a registry, and not only at its first series."""
    registry = CollectorRegistry()
    with pytest.raises(MetricError, match="it takes"):
        Histogram("h", "Help.", ["l"], registry=registry, **settings)
    assert list(registry.collect()) == []


def test_no_buckets_at_all_are_still_refused():
    """Without native ones, prometheus-client's rule holds."""
    with pytest.raises(MetricError, match="at least two buckets"):
        Histogram("h", "Help.", registry=None, buckets=())


def test_a_meter_of_the_catalogue_takes_native_buckets():
    """Beside the buckets that its row has."""
    histogram = meter(STAGE_DURATION, Histogram, native_schema=3)
    histogram.labels("e", "s", "ok").observe(0.2)
    assert native(histogram, STAGE_DURATION.prometheus_name).count_value == 1
    assert (
        sum(sample.name.endswith("_bucket") for sample in histogram.collect()[0].samples)
        == len(STAGE_DURATION.buckets) + 1
    )
