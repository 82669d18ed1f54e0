"""What is written from readings is what their samples say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Exemplar

import manometer
from manometer.exposition.protobuf import generate
from manometer.exposition.protobuf.messages import Kind
from manometer.exposition.protobuf.readings import writer
from manometer.meters.metric_view import MetricView
from manometer.meters.readings import GaugeReading, HistogramReading

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
AMOUNTS = st.floats() | st.integers(-5, 5)


class Fixed:
    """A collector of these families."""

    def __init__(self, *families):
        self.families = families

    def collect(self):
        return self.families


@given(
    st.lists(st.tuples(TEXT, AMOUNTS, st.integers(1, 300), st.booleans()), max_size=10),
    st.sampled_from([(1.0, 2.0), (-1.0, 1.0), (0.0, math.inf)]),
    st.sampled_from([None, -1, 3]),
)
def test_readings_say_what_their_samples_say(families, events, bounds, schema):
    """Of every kind: any labels, NaN too, sums that are not shown, exemplars, and native buckets beside."""
    registry = CollectorRegistry()
    counter = manometer.Counter("c", "Help.", ["who", "b"], registry=registry)
    gauge = manometer.Gauge("g", "Help.", ["who", "b"], registry=registry)
    histogram = manometer.Histogram(
        "h_bytes", "Help.", ["who", "b"], unit="bytes", registry=registry, buckets=bounds, native_schema=schema
    )
    for who, amount, times, traced in events:
        exemplar = {"trace_id": "ab"} if traced else None
        counter.labels(who, "b").inc(times, exemplar)
        gauge.labels(who, "b").set(amount)
        for _ in range(times):
            histogram.labels(who, "b").observe(amount)
        histogram.labels(who, "b").observe(amount, exemplar)
    found = list(registry.collect())
    from_readings = generate(Fixed(*found))
    assert all(metric.family is not None for metric in found)
    assert all(metric.samples is not None for metric in found)
    assert all(metric.family is None for metric in found)
    assert repr(families(from_readings)) == repr(families(generate(Fixed(*found))))  # as text, where NaN equals NaN


@pytest.mark.parametrize("most", [2**7 - 1, 2**7, 2**14 - 1, 2**14, 2**21, 2**28, 2**35, 2**64 - 1])
def test_counts_of_any_size(messages, most):
    """In the buckets and over all; a bound may have the byte of a percent sign in it."""
    bounds = (0.5, 0x25 / 0x100, 37.0, math.inf)
    running = (0, most // 3, most, most)
    seen = Exemplar({"trace_id": "ab"}, 0.25, 1.5)
    write = writer(Kind.HISTOGRAM, ["b", "a"], bounds, "underscores")
    found = messages["Metric"].FromString(write(("1", "%d"), HistogramReading(running, 7.5, 3.25, {1: seen}, None)))
    assert [(label.name, label.value) for label in found.label] == [("a", "%d"), ("b", "1")]
    figures = found.histogram
    assert (figures.sample_count, figures.sample_sum) == (most, 7.5)
    assert (figures.created_timestamp.seconds, figures.created_timestamp.nanos) == (3, 250_000_000)
    assert [(each.upper_bound, each.cumulative_count) for each in figures.bucket] == list(
        zip(bounds[:3], running[:3], strict=True)
    )
    assert [each.exemplar.value for each in figures.bucket] == [0, 0.25, 0]


def test_counts_may_be_fractions(messages):
    """As those of another kit's processes; then all are floats."""
    write = writer(Kind.HISTOGRAM, [], (1.0, 2.0, math.inf), "underscores")
    figures = messages["Metric"].FromString(write((), HistogramReading((0.5, 1.0, 2.0), 7.5))).histogram
    assert (figures.sample_count_float, figures.HasField("sample_count")) == (2.0, False)
    assert [each.cumulative_count_float or each.cumulative_count for each in figures.bucket] == [0.5, 1]


def test_the_last_bucket_is_told_where_it_says_more_than_the_count(messages):
    """That is its exemplar; else a reader makes it of the count."""
    seen = Exemplar({"trace_id": "ab"}, 9.0, 1.5)
    write = writer(Kind.HISTOGRAM, [], (1.0, math.inf), "underscores")
    for exemplars, told in (({}, [1.0]), ({1: seen}, [1.0, math.inf])):
        figures = messages["Metric"].FromString(write((), HistogramReading((1, 2), 7.5, None, exemplars, None)))
        assert [each.upper_bound for each in figures.histogram.bucket] == told
        assert not figures.histogram.HasField("created_timestamp")


def test_series_that_were_pulled_are_in_the_message_of_their_family(families):
    """One family is one message; Prometheus would take a second for an error."""
    gauge = manometer.Gauge("g", "Help.", ["l"], registry=None)
    gauge.labels("set").set(1)
    (found,) = families(generate(Fixed(MetricView(gauge.family([(("pulled",), GaugeReading(2.0))])))))
    assert [(metric.label[0].value, metric.gauge.value) for metric in found.metric] == [("set", 1), ("pulled", 2)]
