"""Another kit's metrics in the form of ours: what fits in a reading, and what is a series of its own."""

from math import inf, nan

import pytest
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Metric, Summary
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    InfoMetricFamily,
    StateSetMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram, Sample, Timestamp

from manometer.meters.family import Group
from manometer.meters.metric_view import MetricView
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading
from manometer.registry.foreign import family_of


def metric(kind, *samples):
    """A metric `m` of such samples: name, labels, value."""
    found = Metric("m", "Help.", kind)
    for name, labels, value in samples:
        found.add_sample(name, labels, value)
    return found


def their_metrics():
    """One of each kind that prometheus-client has."""
    registry = CollectorRegistry()
    Counter("c", "Help.", ["l"], registry=registry).labels("x").inc(2, {"trace_id": "y"})
    Gauge("g", "Help.", registry=registry).set(3)
    histogram = Histogram("h", "Help.", ["b", "a"], registry=registry, buckets=(1, 2))
    for amount in (0.5, 3):
        histogram.labels("x", "y").observe(amount, {"trace_id": str(amount)})
    Summary("s", "Help.", registry=registry).observe(4)
    Info("i", "Help.", registry=registry).info({"version": "1"})
    Enum("e", "Help.", registry=registry, states=["on", "off"])
    return [
        *registry.collect(),
        CounterMetricFamily("own", "Help.", 3, unit="bytes"),
        GaugeHistogramMetricFamily("gh", "Help.", buckets=[("1.0", 2.5), ("+Inf", 3)], gsum_value=-7),
        SummaryMetricFamily("sm", "Help.", count_value=2, sum_value=inf),
        InfoMetricFamily("im", "Help.", value={"version": "1"}),
        StateSetMetricFamily("sm", "Help.", value={"on": True, "off": False}),
    ]


@pytest.mark.parametrize("theirs", their_metrics(), ids=lambda each: each.name + " " + each.type)
def test_any_metric_comes_out_as_it_came_in(theirs):
    """Each sample, in its order, with its exemplar; name, help, kind and unit."""
    view = MetricView(family_of(theirs))
    assert view == theirs
    assert [sample.exemplar for sample in view.samples] == [sample.exemplar for sample in theirs.samples]


def test_a_histogram_of_any_kit_is_one_reading():
    """Whole numbers of events are whole numbers, whatever they were told as."""
    (group,) = family_of(their_metrics()[2]).groups
    ((values, reading),) = group.series
    assert (group.labelnames, group.bounds, values) == (("b", "a"), ("1.0", "2.0", "+Inf"), ("x", "y"))
    assert (reading.running, reading.total) == ((1, 1, 2), 3.5)
    assert {type(count) for count in reading.running} == {int}
    assert {at: exemplar.labels for at, exemplar in reading.exemplars.items()} == {
        0: {"trace_id": "0.5"},
        2: {"trace_id": "3"},
    }


@pytest.mark.parametrize(
    ("samples", "bounds", "expected"),
    [
        ([("m_bucket", "1", 2), ("m_bucket", "+Inf", 3)], ("1", "+Inf"), HistogramReading((2, 3))),
        ([("m_bucket", "1", 2.5), ("m_bucket", "+Inf", 3)], ("1", "+Inf"), HistogramReading((2.5, 3.0))),
        ([("m_bucket", "1", 2), ("m_count", "", 5)], ("1",), HistogramReading((2, 5))),
        ([("m_bucket", "+Inf", 4), ("m_count", "", 5)], ("+Inf",), HistogramReading((4, 5))),
        ([("m_count", "", 5), ("m_sum", "", 2)], (), HistogramReading((5,), 2.0)),
        ([("m_sum", "", 2)], (), HistogramReading((), 2.0)),
        ([("m_created", "", 2)], (), HistogramReading((), None, 2.0)),
    ],
)
def test_a_histogram_tells_what_it_tells(samples, bounds, expected):
    """All events stand apart where no bucket holds them all; what is missing stays so."""
    (group,) = family_of(
        metric("histogram", *[(name, {"le": le} if le else {}, value) for name, le, value in samples])
    ).groups
    assert group == Group((), [((), expected)], bounds)
    assert type(group.series[0][1].running[-1:]) is tuple


@pytest.mark.parametrize(
    ("kind", "sample", "suffix"),
    [
        ("counter", ("m_created", {}, 5), "_created"),
        ("counter", ("m_other", {"le": "1"}, 5), "_other"),
        ("gauge", ("m_created", {}, 5), "_created"),
        ("info", ("m", {}, 5), ""),
        ("summary", ("m", {"quantile": "0.5"}, 5), ""),
        ("summary", ("m_bucket", {"le": "1"}, 5), "_bucket"),
        ("histogram", ("m_gcount", {}, 5), "_gcount"),
        ("unknown", ("m_x", {}, 5), "_x"),
    ],
)
def test_what_has_no_place_in_a_reading_is_a_series_of_its_own(kind, sample, suffix):
    """And comes out as it came in."""
    theirs = metric(kind, sample)
    (group,) = family_of(theirs).groups
    _, labels, value = sample
    assert group == Group(tuple(labels), [(tuple(labels.values()), GaugeReading(value))], suffix=suffix)
    assert MetricView(family_of(theirs)) == theirs


def test_series_that_differ_in_labels_or_in_what_they_tell_are_apart():
    """Within a group, all are alike."""
    theirs = metric(
        "summary",
        ("m_count", {"l": "x"}, 1),
        ("m_count", {"l": "y"}, 2),
        ("m_sum", {"l": "z"}, 3),
        ("m_count", {}, 4),
        ("m", {"l": "x", "quantile": "1"}, 5),
    )
    assert [(each.labelnames, each.suffix, len(each.series)) for each in family_of(theirs).groups] == [
        (("l",), None, 2),
        (("l",), None, 1),
        ((), None, 1),
        (("l", "quantile"), "", 1),
    ]


def test_native_histograms_keep_their_buckets_however_many():
    """There is room for all of them, and for as many as ours may have."""
    for count in (3, 500):
        found = NativeHistogram(count, 1, 3, 0.0, 0, [BucketSpan(0, count)], None, [1] + [0] * (count - 1))
        theirs = metric("histogram")
        theirs.samples = [Sample("m", {}, 0.0, None, None, found)]
        (group,) = family_of(theirs).groups
        assert (group.bounds, group.native_limit) == ((), max(160, count))
        ((_, reading),) = group.series
        assert (reading.running, reading.total) == ((), None)
        assert (reading.native.sum_value, reading.native.pos_deltas) == (1.0, found.pos_deltas)


def test_times_of_exemplars_are_seconds():
    """Whatever they are told as."""
    theirs = metric("counter")
    theirs.samples = [Sample("m_total", {}, 1, None, Exemplar({"a": "b"}, 2, Timestamp(5, 500_000_000)))]
    assert family_of(theirs).series == [((), CounterReading(1.0, None, Exemplar({"a": "b"}, 2.0, 5.5)))]


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        ([("other", {}, 1)], "other is a sample of another family"),
        ([("ms", {}, 1)], "ms is a sample of another family"),
        ([("m_bucket", {"le": "+Inf"}, nan)], "a count without end"),
        ([("m_count", {}, inf)], "a count without end"),
        ([("m_bucket", {"le": "1"}, 3)], "a histogram that tells no number of all events"),
    ],
)
def test_what_is_no_figure_is_refused(samples, complaint):
    """The message says why."""
    with pytest.raises(ValueError, match=complaint):
        family_of(metric("histogram", *samples))
