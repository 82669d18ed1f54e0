"""Deltas that a receiver adds up come to the totals, whichever pushes it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as TheirCounter

from forking import in_child
from manometer import Counter, Gauge, Histogram, Manometer, Settings, flush
from manometer.meters.family import Family, Group
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading
from manometer.otlp.metrics.deltas import Deltas
from manometer.otlp.metrics.encoding import requests
from manometer.otlp.metrics.temporality import Totals, temporality_of
from manometer.registry.collection import collect
from manometer.registry.foreign import family_of
from otlp_translation import metrics

DELTA, CUMULATIVE = 1, 2
SECOND = 10**9


def pushed(deltas, families, now, takes=lambda number: True):
    """What the receiver takes of a push of these families; takes: whether it takes the request of that number."""
    told = deltas.begin()
    made = [metric for family in families for metric in told.encoded(family, now)]
    taken = []
    for number, (body, points) in enumerate(requests(made, b"", b"")):
        told.settled(points, arrived=takes(number))
        if takes(number):
            taken.append(ExportMetricsServiceRequest.FromString(body))
    found = {}
    for metric in metrics(taken):
        data = getattr(metric, metric.WhichOneof("data"))
        found.setdefault(metric.name, type(data)()).MergeFrom(data)
    return found


def counter(total, created=None, **more):
    """A family of one counter."""
    return Family("orders", "counter", "o", "", [Group((), [((), CounterReading(total, created, **more))])])


def taken_of(sent):
    """The one number that was sent; 0 where there was none."""
    return sum(point.as_double for point in sent["orders"].data_points) if "orders" in sent else 0


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30))
def test_what_is_taken_adds_up_to_what_was_counted(pushes):
    """Whatever the receiver does not take comes with the next that it takes."""
    deltas, total, taken = Deltas(), 0, 0
    for at, (more, takes) in enumerate([*pushes, (1, True)], start=1):
        total += more
        taken += taken_of(pushed(deltas, [counter(float(total))], at * SECOND, lambda _, takes=takes: takes))
        assert taken <= total
    assert taken == total


amounts = st.lists(st.floats(-1e3, 1e6), max_size=8)


@given(st.lists(st.tuples(amounts, st.booleans()), max_size=12), st.booleans())
def test_histograms_add_up_bucket_by_bucket(pushes, native):
    """Exponential ones too, across the merges of their buckets."""
    registry = CollectorRegistry()
    options = {"native_schema": 3, "max_native_buckets": 4} if native else {"buckets": (0.0, 10.0, 100.0)}
    meter, whole = (Histogram(name, "t", registry=registry, **options) for name in ("taken", "whole"))
    deltas, sent = Deltas(), []
    for at, (batch, takes) in enumerate([*pushes, ([1.0], True)], start=1):
        for amount in batch:
            meter.observe(amount)
            whole.observe(amount)
        found = pushed(deltas, [meter.family()], at * SECOND, lambda _, takes=takes: takes)
        sent += [point for data in found.values() for point in data.data_points]
    (expected,) = pushed(Totals(), [whole.family()], SECOND)["whole"].data_points
    assert sum(point.count for point in sent) == expected.count
    assert sum(point.sum for point in sent) == pytest.approx(expected.sum)
    if native:
        for point in sent:
            buckets = [*point.positive.bucket_counts, *point.negative.bucket_counts]
            assert sum(buckets) + point.zero_count == point.count
    else:
        assert [
            sum(column) for column in zip(*[point.bucket_counts for point in sent], strict=True)
        ] == expected.bucket_counts


def test_a_push_in_several_requests_is_taken_in_part():
    """What was in the others comes again, and nothing else."""
    values = [(str(number) + "x" * 1000,) for number in range(3000)]

    def family(total):
        series = [(each, CounterReading(total)) for each in values]
        return Family("orders", "counter", "o", "", [Group(("shop",), series)])

    deltas = Deltas()
    first = pushed(deltas, [family(5.0)], SECOND, lambda number: number != 1)
    second = pushed(deltas, [family(5.0)], 2 * SECOND)
    assert 0 < len(second["orders"].data_points) < len(values)
    assert taken_of(first) + taken_of(second) == 5.0 * len(values)


def test_a_delta_begins_where_the_last_one_that_was_taken_ended():
    """The first one where the series began."""
    deltas = Deltas()
    sent = [
        pushed(deltas, [counter(total, 3.0)], at * SECOND, lambda _, takes=takes: takes)
        for at, total, takes in ((10, 1.0, True), (20, 2.0, False), (30, 3.0, True))
    ]
    points = [each["orders"].data_points[0] for each in sent if each]
    assert [(each.start_time_unix_nano, each.time_unix_nano) for each in points] == [
        (3 * SECOND, 10 * SECOND),
        (10 * SECOND, 30 * SECOND),
    ]
    assert [each["orders"].aggregation_temporality for each in sent if each] == [DELTA, DELTA]


def test_what_has_nothing_new_is_left_out():
    """A receiver that adds up needs no zeros."""
    deltas = Deltas()
    assert pushed(deltas, [counter(1.0)], SECOND)
    assert pushed(deltas, [counter(1.0)], 2 * SECOND) == {}
    assert taken_of(pushed(deltas, [counter(3.0)], 3 * SECOND)) == 2


def test_a_series_that_begins_anew_is_told_from_zero():
    """Whether it falls, or was removed and made again between two pushes; a reset that the meter knows of is none."""
    deltas = Deltas()
    pushed(deltas, [counter(5.0, 1.0)], 10 * SECOND)
    assert taken_of(pushed(deltas, [counter(2.0, 1.0)], 20 * SECOND)) == 2
    assert taken_of(pushed(deltas, [counter(7.0, 25.0)], 30 * SECOND)) == 7
    reset = counter(1.0, 40.0, before=CounterReading(9.0, 25.0))
    assert taken_of(pushed(deltas, [reset], 50 * SECOND)) == 3
    nothing = Family("orders", "counter", "o", "", [])
    pushed(deltas, [nothing], 60 * SECOND)
    assert taken_of(pushed(deltas, [counter(50.0, 25.0)], 70 * SECOND)) == 50


def test_a_series_that_has_begun_before_goes_on():
    """As where one more process tells what it had."""
    deltas = Deltas()
    pushed(deltas, [counter(5.0, 9.0)], 10 * SECOND)
    assert taken_of(pushed(deltas, [counter(6.0, 8.0)], 20 * SECOND)) == 1


def test_other_buckets_are_another_series():
    """Their counts do not compare."""
    deltas, counts = Deltas(), []
    for at, bound in enumerate(("1.0", "2.0"), start=1):
        group = Group((), [((), HistogramReading((3, 4), 9.0))], (bound, "+Inf"))
        sent = pushed(deltas, [Family("taken", "histogram", "t", "", [group])], at * SECOND)
        counts.append(sent["taken"].data_points[0].count)
    assert counts == [4, 4]


def test_a_family_that_could_not_be_read_goes_on_where_it_was():
    """It is not begun anew by that."""
    deltas = Deltas()
    pushed(deltas, [counter(5.0)], 10 * SECOND)
    pushed(deltas, [], 20 * SECOND)
    assert taken_of(pushed(deltas, [counter(6.0)], 30 * SECOND)) == 1


def test_what_is_no_count_is_told_as_it_is(registry):
    """Gauges, summaries, a histogram without buckets and a counter's odd sample, again with each push."""
    Gauge("depth", "d", registry=registry).set(3)
    bare = Family("bare", "histogram", "b", "", [Group((), [((), HistogramReading((), 2.0))])])
    odd = counter(1.0)
    odd = odd._replace(groups=[*odd.groups, Group((), [((), GaugeReading(7.0))], suffix="_odd")])
    deltas = Deltas()
    for at in (1, 2):
        sent = pushed(deltas, [*map(_family, collect(registry)), odd, bare], at * SECOND)
        assert sent["orders_odd"].data_points[0].as_double == 7
        assert sent["depth"].data_points[0].as_double == 3
        assert sent["bare_sum"].data_points[0].as_double == 2


def _family(found):
    return found if isinstance(found, Family) else family_of(found)


def test_low_memory_tells_what_is_only_read_as_totals(registry):
    """As OpenTelemetry has it for observable counters."""
    deltas = temporality_of("lowmemory")
    pulled = Family("process_cpu_time_seconds", "counter", "c", "seconds", [Group((), [((), CounterReading(2.0))])])
    for at in (1, 2):
        sent = pushed(deltas, [pulled, counter(float(at))], at * SECOND)
        assert sent["process.cpu.time"].aggregation_temporality == CUMULATIVE
        assert sent["process.cpu.time"].data_points[0].as_double == 2
        assert sent["orders"].aggregation_temporality == DELTA
        assert taken_of(sent) == 1


def test_an_exemplar_is_told_once(registry):
    """It belongs to the events that are told with it."""
    orders = Counter("orders", "o", registry=registry)
    taken = Histogram("taken", "t", buckets=(1.0,), registry=registry)
    native = Histogram("native", "n", native_schema=3, registry=registry)
    orders.inc(exemplar={"order": "1"})
    for each in (taken, native):
        each.observe(0.5, exemplar={"order": "1"})
    deltas = Deltas()
    exemplars = []
    for at in (1, 2):
        sent = pushed(deltas, [orders.family(), taken.family(), native.family()], at * SECOND)
        exemplars.append([len(sent[name].data_points[0].exemplars) for name in ("orders", "taken", "native")])
        orders.inc()
        taken.observe(5)
        native.observe(5)
    assert exemplars == [[1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("native", [False, True])
def test_a_histogram_is_told_since_then_too(registry, native):
    """Though what came adds nothing to its sum. One with exponential buckets alone is told so as well."""
    options = {"native_schema": 3} if native else {"buckets": (1.0,)}
    taken = Histogram("taken", "t", registry=registry, **options)
    deltas, points = Deltas(), []
    for at in (10, 20):
        taken.observe(0)
        family = taken.family()
        if native:
            ((_, reading),) = family.series
            bare = Group((), [((), reading._replace(running=()))])
            family = family._replace(groups=[bare])
        points += pushed(deltas, [family], at * SECOND)["taken"].data_points
    assert [point.count for point in points] == [1, 1]
    assert points[1].start_time_unix_nano == 10 * SECOND


def test_a_child_begins_with_what_it_has_inherited():
    """What its parent had taken by then is nothing to it, but for what its figures go on from."""
    deltas = Deltas()
    pushed(deltas, [counter(5.0, 3.0)], 10 * SECOND)
    deltas.renew(lambda: [counter(8.0, 3.0)])
    (point,) = pushed(deltas, [counter(9.0, 3.0)], 20 * SECOND)["orders"].data_points
    assert (point.as_double, point.start_time_unix_nano) == (1, 3 * SECOND)
    deltas.renew(list)
    assert taken_of(pushed(deltas, [counter(2.0, 3.0)], 30 * SECOND)) == 2


@pytest.mark.parametrize("preference", ["delta", "lowmemory"])
def test_each_process_of_a_group_pushes_its_own(receiver, registry, tmp_path, preference):
    """Nothing counts twice: not what a child inherits, and not what a receiver has refused."""
    settings = Settings(
        serve=False,
        processes_dir=str(tmp_path / "group"),
        otlp_endpoint=receiver.url,
        otlp_temporality=preference,
        metric_export_interval=3600.0,
    )
    ours = Counter("ours", "o", registry=registry)
    theirs = TheirCounter("theirs", "t", registry=registry)
    with Manometer(settings, registry=registry) as running:
        _count(ours, theirs, 5)
        assert flush(None)
        _count(ours, theirs, 10)
        receiver.status = 400
        assert not flush(None)
        receiver.status = 200

        def child():
            _count(ours, theirs, 100)
            running.close()

        in_child(child)
        _count(ours, theirs, 1000)
    totals = {"ours": 0.0, "theirs": 0.0}
    for metric in metrics(receiver.metrics):
        if metric.name in totals:
            totals[metric.name] += metric.sum.data_points[0].as_double
    assert totals == {"ours": 1115.0, "theirs": 1115.0}


def _count(ours, theirs, number):
    ours.inc(number)
    theirs.inc(number)
