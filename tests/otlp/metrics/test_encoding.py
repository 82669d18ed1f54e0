"""A collection as OTLP requests: nothing is lost, whatever kind of metric it is."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Enum, Info, Metric
from prometheus_client import Counter as TheirCounter
from prometheus_client import Histogram as TheirHistogram
from prometheus_client import Summary as TheirSummary
from prometheus_client.core import GaugeHistogramMetricFamily, SummaryMetricFamily, UnknownMetricFamily
from prometheus_client.samples import Exemplar

from manometer import Counter, Gauge, Histogram, render
from manometer.meters.family import Family, Group
from manometer.meters.readings import GaugeReading, HistogramReading
from manometer.otlp.metrics import encoding
from manometer.otlp.metrics.encoding import metrics_of
from manometer.registry.collection import collect
from otlp_translation import points, scraped, translated

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
NOW = 1_700_000_000_000_000_001


class Others:
    """A collector of another kit: these families."""

    def __init__(self, *families):
        self.collect = lambda: families


def _everything(registry):
    traced = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
    requests = Counter("requests", "all", ["method", "code"], registry=registry)
    requests.labels("GET", "200").inc(3, exemplar={**traced, "shop": "oslo"})
    requests.labels('a"\n\\', "ü").inc(0.5, exemplar={"trace_id": "no such id"})
    Gauge("depth", "now", registry=registry).set(-2.5)
    Gauge("size", "of it", ["where"], unit="bytes", registry=registry).labels("").set(math.inf)
    latency = Histogram("latency", "how long", ["way"], unit="seconds", buckets=(0.1, 1.0), registry=registry)
    for amount in (0.05, 0.5, 0.5, 7.0):
        latency.labels("in").observe(amount, exemplar=traced)
    TheirCounter("work", "done", ["who"], unit="seconds", registry=registry).labels("me").inc(4)
    TheirHistogram("theirs", "h", buckets=(1, 2), registry=registry).observe(1.5)
    TheirSummary("summed", "s", ["q"], registry=registry).labels("1").observe(3)
    Info("build", "i", registry=registry).info({"version": "1"})
    Enum("state", "e", ["of"], states=["on", "off"], registry=registry).labels("it").state("off")
    quantiles = SummaryMetricFamily("quantiles", "q", labels=["a"])
    quantiles.add_metric(["1"], 3, 4.5)
    quantiles.add_sample("quantiles", {"a": "1", "quantile": "0.5"}, 1.25)
    quantiles.add_sample("quantiles", {"a": "1", "quantile": "0.99"}, 2.5)
    unknown = UnknownMetricFamily("unknown", "u", value=7.0)
    filled = GaugeHistogramMetricFamily("filled", "g", labels=["a"])
    filled.add_metric(["x"], [("1.0", 2), ("+Inf", 3)], 9.0)
    registry.register(Others(quantiles, unknown, filled))


def test_a_push_tells_what_a_scrape_tells(registry, pushed):
    """Every kind of metric, with names, labels, values and exemplars."""
    _everything(registry)
    families = collect(registry)
    body, _ = render(registry, OPENMETRICS)
    told, expected = translated(pushed(families)), scraped(body.decode())
    own = "manometer_"
    assert {key: value for key, value in told.values.items() if not key[0].startswith(own)} == {
        key: value for key, value in expected.values.items() if not key[0].startswith(own)
    }
    assert told.exemplars == expected.exemplars


def test_what_a_trace_s_exemplar_says_is_in_its_own_fields(registry, pushed):
    """The ids are bytes; what is no id of a trace stays a label."""
    _everything(registry)
    sent = points(pushed(registry))["requests"].sum.data_points
    traced, other = (point.exemplars[0] for point in sent)
    assert (traced.trace_id.hex(), traced.span_id.hex()) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert [each.key for each in traced.filtered_attributes] == ["shop"]
    assert not other.trace_id
    assert [each.value.string_value for each in other.filtered_attributes] == ["no such id"]


def test_the_time_of_creation_is_where_a_series_starts(registry, pushed):
    """And the time of the reading is one for all."""
    counter = Counter("orders", "o", registry=registry)
    counter.inc()
    (created,) = [reading.created for family in collect(registry) for _, reading in family.series][:1]
    (point,) = points(pushed(registry, NOW))["orders"].sum.data_points
    assert point.start_time_unix_nano == round(created * 1e9)
    assert point.time_unix_nano == NOW


def test_an_exemplar_without_a_time_is_told_as_of_the_reading(registry, pushed):
    """As Prometheus has it of a scrape."""
    metric = Metric("theirs", "c", "counter")
    metric.add_sample("theirs_total", {}, 1.0, exemplar=Exemplar({"a": "b"}, 1.0))
    registry.register(Others(metric))
    (point,) = points(pushed(registry, NOW))["theirs"].sum.data_points
    assert point.exemplars[0].time_unix_nano == NOW


def test_an_exemplar_with_a_time_keeps_it(registry, pushed):
    """To the nanosecond that a float has. Ids that a receiver would write otherwise stay labels as they are."""
    metric = Metric("theirs", "t", "counter")
    exemplar = Exemplar({"trace_id": "0AF7651916CD43DD8448EB211C80319C"}, 1.0, 1_600_000_000.5)
    metric.add_sample("theirs_total", {}, 1.0, exemplar=exemplar)
    registry.register(Others(metric))
    (point,) = points(pushed(registry, NOW))["theirs"].sum.data_points
    assert point.exemplars[0].time_unix_nano == 1_600_000_000_500_000_000
    assert point.exemplars[0].trace_id == b""
    (label,) = point.exemplars[0].filtered_attributes
    assert (label.key, label.value.string_value) == ("trace_id", "0AF7651916CD43DD8448EB211C80319C")


def test_a_summary_of_quantiles_alone_has_no_sum(pushed):
    """What is not known is 0 there, as the protocol has no other way to say it."""
    group = Group(("quantile",), [(("0.5",), GaugeReading(2.0))], suffix="")
    (request,) = pushed([Family("quantiles", "summary", "q", "", [group])], NOW)
    (point,) = points([request])["quantiles"].summary.data_points
    assert (point.count, point.sum) == (0, 0.0)
    assert [(each.quantile, each.value) for each in point.quantile_values] == [(0.5, 2.0)]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=60), st.integers(-4, 8))
def test_a_native_histogram_is_an_exponential_one(amounts, schema):
    """Its buckets hold what the reading's hold, whatever lies between them."""
    registry = CollectorRegistry()
    histogram = Histogram("latency", "l", unit="seconds", native_schema=schema, registry=registry)
    for amount in amounts:
        histogram.observe(amount)
    (family,) = [each for each in collect(registry) if each.name == "latency_seconds"]
    native = family.series[0][1].native
    told = translated(_pushed([family])).natives["latency_seconds", frozenset()]
    assert told == (
        native.schema,
        native.sum_value,
        native.count_value,
        native.zero_count,
        _counts(native.pos_spans, native.pos_deltas),
        _counts(native.neg_spans, native.neg_deltas),
    )


def _counts(spans, deltas):
    found, at, count, rest = {}, 0, 0, iter(deltas)
    for offset, length in spans:
        at += offset
        for _ in range(length):
            count += next(rest)
            if count:
                found[at] = count
            at += 1
    return found


def _pushed(families):
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    made = encoding.requests([metric for each in families for metric in metrics_of(each, NOW)], b"", b"")
    return [ExportMetricsServiceRequest.FromString(body) for body, _ in made]


def test_half_an_event_is_refused():
    """OTLP has whole events alone; a number that was rounded would be made up."""
    group = Group((), [((), HistogramReading((0.5, 1.0), 1.0))], ("1.0", "+Inf"))
    with pytest.raises(ValueError, match=r"0.5 events, and OTLP has whole numbers"):
        [*metrics_of(Family("h", "histogram", "h", "", [group]), NOW)]


def test_a_large_collection_goes_in_several_requests(registry, pushed, monkeypatch):
    """Each with its metric's head, and every point once, however many fit."""
    monkeypatch.setattr(encoding, "REQUEST_BYTES", 1000)
    counter = Counter("orders", "o", ["shop"], registry=registry)
    for number in range(200):
        counter.labels(str(number)).inc(number)
    requests = pushed(registry)
    assert len(requests) > 5
    assert all(request.ByteSize() < 2500 for request in requests)
    shops = [
        (point.attributes[0].value.string_value, point.as_double)
        for request in requests
        for metric in request.resource_metrics[0].scope_metrics[0].metrics
        if metric.name == "orders"
        for point in metric.sum.data_points
    ]
    assert sorted(shops) == sorted((str(number), float(number)) for number in range(200))


def test_nothing_makes_no_request(registry):
    """Not even one of a resource alone."""
    assert [*encoding.requests([], b"", b"")] == []


def test_a_float_keeps_its_bits(registry, pushed):
    """A value is what it was, to the last bit."""
    for at, value in enumerate((0.1, 1e308, 5e-324, -0.0, math.nan)):
        Gauge(f"g{at}", "g", registry=registry).set(value)
    told = translated(pushed(registry)).values
    for at, value in enumerate((0.1, 1e308, 5e-324, -0.0, math.nan)):
        assert struct.pack("<d", told[f"g{at}", frozenset()]) == struct.pack("<d", value)
