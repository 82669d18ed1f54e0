"""What a process's sums have come to is kept for as long as it is needed, and no longer."""

import pickle

import pytest
from prometheus_client import Metric
from prometheus_client.samples import BucketSpan, NativeHistogram, Sample

from manometer.meters.readings import HistogramReading
from manometer.processes.resets import Resets
from manometer.processes.snapshot import shared


def test_what_is_kept_does_not_grow_with_all_that_ever_was():
    """A series that shows other buckets each time, and goes on: kept is what was last seen of it."""
    continuity = Resets()

    def size(events):
        metric = Metric("h", "Help.", "histogram")
        for bound in (f"{events}.0", "+Inf"):
            metric.add_sample("h_bucket", {"le": bound}, events)
        metric.samples.append(Sample("h_count", {}, events))
        assert continuity.besides([shared(metric, "sum", 1.0)], 1.0) == []
        return len(pickle.dumps(vars(continuity)))

    first, *others = [size(events) for events in range(100, 400)]
    assert max(others) <= first + 10


@pytest.mark.parametrize(
    ("born", "events", "kept"),
    [
        (5, 3, 0),
        (5, 4, 0),
        (7, 4, 0),  # it says otherwise now when it began, but that was before it was seen
        (10, 4, 0),
        (10.5, 4, 3),
        (5, 2, 3),
    ],
)
def test_a_series_goes_on_unless_it_fell_or_began_since(born, events, kept):
    """Only what starts again needs what it had come to before."""
    continuity = Resets()

    def besides(born, events, now):
        metric = Metric("c", "Help.", "counter")
        metric.samples = [Sample("c_total", {}, events), Sample("c_created", {}, born)]
        found = continuity.besides([shared(metric, "sum", now)], now)
        return sum(reading.total for each in found for _, reading in each.series)

    assert besides(5, 3, 10.0) == 0
    assert besides(born, events, 20.0) == kept


def test_two_collectors_that_tell_the_same_series_start_again_at_no_collection():
    """Their sum is what both tell."""
    continuity = Resets()
    for now in (1.0, 2.0, 3.0):
        families = []
        for total in (5, 10):
            metric = Metric("c", "Help.", "counter")
            metric.samples = [Sample("c_total", {}, total)]
            families.append(shared(metric, "sum", now))
        assert continuity.besides(families, now) == []


def test_a_process_moves_where_it_tells_of_an_event():
    """But for those of a process that runs and does nothing: by these nobody is served."""
    continuity = Resets()

    def moves(**totals):
        families = []
        for name, total in totals.items():
            metric = Metric(name, "Help.", "counter")
            metric.samples = [Sample(f"{name}_total", {}, total), Sample(f"{name}_created", {}, 5.0)]
            families.append(shared(metric, "sum", 9.0))
        moved = continuity.moved(families)
        continuity.besides(families, 9.0)
        return moved

    assert not moves()
    assert not moves(c=0)
    assert moves(c=1)
    assert not moves(c=1)
    assert moves(c=3, d=0)
    assert not moves(c=3, d=0)
    assert moves(c=3, d=2)
    assert not moves(process_cpu_seconds=7, c=3, d=2)
    assert moves(process_cpu_seconds=7, c=4, d=2)
    assert moves(c=5, d=2, process_cpu_seconds=9)
    assert not moves(c=5, d=2, process_cpu_seconds=11)
    assert moves(e=1)


def kept(*metrics):
    """What is kept of each of these collections when the next one has come: the readings."""
    continuity = Resets()
    for metric in metrics:
        found = continuity.besides([shared(metric, "sum", 9.0)], 9.0)
    return [reading for each in found for _, reading in each.series]


def test_what_adds_up_is_kept_beside_what_does_not():
    """As the count and the sum of a summary, whose quantiles are of each process."""
    summary = Metric("s", "Help.", "summary")
    for name, labels, amount in (("s", {"quantile": "0.5"}, 1.5), ("s_count", {}, 3), ("s_sum", {}, 4.5)):
        summary.add_sample(name, labels, amount)
    assert kept(summary, Metric("s", "Help.", "summary")) == [HistogramReading((3,), 4.5)]


def test_a_histogram_without_a_count_is_kept_too():
    """Its last bucket has the count."""
    parts = []
    for amount in (3, 5, 2):
        metric = Metric("h", "Help.", "histogram")
        metric.add_sample("h_bucket", {"le": "+Inf"}, amount)
        parts.append(metric)
    assert kept(*parts[:2]) == []
    assert kept(*parts) == [HistogramReading((5,))]


def test_a_native_histogram_starts_again_where_its_count_falls():
    """Its sum may do as it likes."""

    def native(count, total):
        metric = Metric("h", "Help.", "histogram")
        buckets = NativeHistogram(count, total, 0, 0.0, 0, [BucketSpan(0, 1)], None, [count])
        metric.samples = [Sample("h", {}, 0.0, None, None, buckets)]
        return metric

    assert kept(native(4, 1.0), native(4, 5.0)) == []
    assert kept(native(4, 5.0), native(6, 1.0)) == []
    (reading,) = kept(native(4, 1.0), native(2, 5.0))
    assert (reading.native.count_value, reading.native.sum_value) == (4, 1.0)
