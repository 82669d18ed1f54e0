"""What OpenTelemetry's meters record is at `/metrics`, beside the rest, and is not pushed from here."""

import re
import sys
import time
from contextlib import closing

import pytest
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from forking import in_child
from manometer import ConfigError, Counter, Manometer, Settings, metric_reader, render
from manometer.meters.family import Family
from manometer.registry.collection import collect
from otlp_receiver import Receiver
from otlp_translation import metrics

SHOP = '{otel_scope_name="shop",otel_scope_version="2.1"}'


@pytest.fixture
def provider(figures):
    """A provider of the program's own."""
    resource = Resource({"service.name": "orders", "service.version": "3", "service.instance.id": "one of many"})
    provider = MeterProvider(
        metric_readers=[metric_reader(figures.registry)],
        resource=resource,
        views=[
            View(instrument_name="wide", aggregation=ExponentialBucketHistogramAggregation()),
            View(instrument_name="took", aggregation=ExplicitBucketHistogramAggregation((0.1, 1.0))),
        ],
        shutdown_on_exit=False,
    )
    yield provider
    provider.shutdown()


@pytest.fixture
def meter(provider):
    """A meter of another library."""
    return provider.get_meter("shop", "2.1")


def told(figures):
    """The text of `/metrics`, without the times at which series began."""
    body, _ = render(figures.registry, "application/openmetrics-text")
    assert [*text_string_to_metric_families(body.decode())]
    return [line for line in body.decode().splitlines() if "_created" not in line]


def test_each_kind_of_instrument_has_its_place(figures, meter):
    """Named by OpenTelemetry's rules for Prometheus; a sum that may fall is a gauge."""
    meter.create_counter("orders.placed", unit="{order}", description="Orders.").add(3, {"shop.id": 7, "paid": True})
    meter.create_up_down_counter("queue.depth", unit="1").add(-2)
    meter.create_observable_gauge("used", [lambda _: [Observation(0.5)]], unit="1")
    meter.create_observable_counter("read", [lambda _: [Observation(12)]], unit="By")
    assert told(figures) == [
        "# HELP orders_placed Orders.",
        "# TYPE orders_placed counter",
        'orders_placed_total{otel_scope_name="shop",otel_scope_version="2.1",paid="true",shop_id="7"} 3.0',
        "# HELP queue_depth ",
        "# TYPE queue_depth gauge",
        f"queue_depth{SHOP} -2.0",
        "# HELP used_ratio ",
        "# TYPE used_ratio gauge",
        "# UNIT used_ratio ratio",
        f"used_ratio{SHOP} 0.5",
        "# HELP read_bytes ",
        "# TYPE read_bytes counter",
        "# UNIT read_bytes bytes",
        f"read_bytes_total{SHOP} 12.0",
        "# HELP target Target metadata",
        "# TYPE target info",
        'target_info{service_name="orders",service_version="3"} 1.0',
        "# EOF",
    ]


@pytest.mark.parametrize(
    ("name", "unit", "kind", "family"),
    [
        ("http.server.request.duration", "s", "gauge", "http_server_request_duration_seconds"),
        ("rate", "By/s", "gauge", "rate_bytes_per_second"),
        ("rate", "{request}/s", "gauge", "rate_per_second"),
        ("lag_seconds", "s", "gauge", "lag_seconds"),
        ("seconds.behind", "s", "gauge", "seconds_behind"),
        ("rate_bytes_per_second", "By/s", "gauge", "rate_bytes_per_second"),
        ("hits_total", "1", "counter", "hits"),
        ("hits", "ms", "gauge", "hits_milliseconds"),
        ("load", "%", "gauge", "load_percent"),
        ("odd", "furlong", "gauge", "odd_furlong"),
    ],
)
def test_a_name_has_its_unit(figures, meter, name, unit, kind, family):
    """As a receiver of a push would name it."""
    make = meter.create_counter if kind == "counter" else meter.create_up_down_counter
    make(name, unit=unit).add(1)
    assert [each.name for each in collect(figures.registry)] == [family, "target"]
    assert told(figures)  # where the unit is no suffix, the text does not say that it is one


def test_a_histogram_tells_its_buckets_and_exemplars(figures, meter):
    """An exemplar has the ids of the span in which it was recorded."""
    histogram = meter.create_histogram("took", unit="s")
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("work") as span:
        histogram.record(0.5)
    histogram.record(5)
    lines = [line for line in told(figures) if line.startswith("took")]
    assert [line.partition(" # ")[0] for line in lines] == [
        f'took_seconds_bucket{{le="0.1",{SHOP[1:]} 0.0',
        f'took_seconds_bucket{{le="1.0",{SHOP[1:]} 1.0',
        f'took_seconds_bucket{{le="+Inf",{SHOP[1:]} 2.0',
        f"took_seconds_count{SHOP} 2.0",
        f"took_seconds_sum{SHOP} 5.5",
    ]
    if "exemplars" not in HistogramDataPoint.__dataclass_fields__:
        pytest.skip("this SDK has no exemplars; the buckets are right")
    context = span.get_span_context()
    exemplar = f'{{span_id="{context.span_id:016x}",trace_id="{context.trace_id:032x}"}} 0.5'
    assert re.fullmatch(rf'took_seconds_bucket\{{le="1.0",.*\}} 1.0 # {re.escape(exemplar)} [\d.]+', lines[1])


@pytest.mark.parametrize("amounts", [[0.0, 1.0, 1.5, 1000.0], [1.0, 1.0000001], [0.0]])
def test_an_exponential_histogram_is_a_native_one(figures, meter, amounts):
    """Each bucket holds what is in it, by Prometheus's bounds; the classic form has the count and the sum."""
    histogram = meter.create_histogram("wide")
    for amount in amounts:
        histogram.record(amount)
    family = next(each for each in collect(figures.registry) if isinstance(each, Family) and each.name == "wide")
    ((_, reading),) = family.series
    native = reading.native
    assert (native.count_value, native.sum_value) == (len(amounts), sum(amounts))
    assert native.zero_count == amounts.count(0.0)
    positive, index, running = [], 0, 0
    deltas = iter(native.pos_deltas)
    for offset, length in native.pos_spans:
        index += offset
        for _ in range(length):
            running += next(deltas)
            positive += [index] * running
            index += 1
    base = 2 ** (2**-native.schema)
    expected = sorted(amount for amount in amounts if amount > 0)
    assert len(positive) == len(expected)
    for number, amount in zip(positive, expected, strict=True):
        assert base ** (number - 1) < amount * (1 + 1e-9)
        assert amount <= base**number * (1 + 1e-9)
    assert reading.running == (len(amounts),)


def test_two_libraries_may_have_a_metric_of_one_name(figures, provider):
    """It is one family, whose series tell whose they are. Where the kinds differ, the first has the name."""
    provider.get_meter("one").create_counter("requests").add(1)
    provider.get_meter("two").create_counter("requests").add(2)
    provider.get_meter("three").create_up_down_counter("requests").add(4)
    assert figures.all("requests_total", "otel_scope_name") == {"one": 1, "two": 2}
    assert not any("otel_scope_version" in dict(labels) for _, labels in figures.read())
    assert figures("requests") is None


def test_what_the_registry_has_already_is_left_out(figures, meter, caplog):
    """Nothing stands twice; the log says so once."""
    Counter("requests", "r", registry=figures.registry).inc(5)
    meter.create_counter("requests").add(1)
    for _ in range(2):
        assert figures("requests_total") == 5
    assert caplog.messages == ["what OpenTelemetry's meters say of requests is left out: the registry has it"]


def test_the_program_s_own_target_info_counts(figures, meter):
    """It has said so."""
    figures.registry.set_target_info({"region": "oslo"})
    meter.create_counter("requests").add(1)
    assert [line for line in told(figures) if line.startswith("target_info")] == ['target_info{region="oslo"} 1.0']


def test_attributes_that_prometheus_has_other_uses_for_are_renamed(figures, meter):
    """And those that come to one label share it."""
    meter.create_counter("requests").add(1, {"le": "x", "a.b": "1", "a_b": "2", "0": "zero"})
    ((_, labels),) = [key for key in figures.read() if key[0] == "requests_total"]
    assert dict(labels) == {"le_": "x", "a_b": "1;2", "key_0": "zero"} | {
        "otel_scope_name": "shop",
        "otel_scope_version": "2.1",
    }


def test_a_reader_that_is_shut_down_shows_nothing_more(figures):
    """Its collector has left the registry; a second shutdown does nothing."""
    reader = metric_reader(figures.registry)
    MeterProvider(metric_readers=[reader], shutdown_on_exit=False).get_meter("shop").create_counter("requests").add(1)
    assert figures("requests_total") == 1
    reader.shutdown()
    reader.shutdown()
    assert collect(figures.registry) == []


@pytest.mark.skipif("exemplars" not in HistogramDataPoint.__dataclass_fields__, reason="this SDK has no exemplars")
def test_an_exemplar_has_what_the_series_lacks(figures):
    """As far as Prometheus takes it. A native histogram has its exemplars too."""
    views = [
        View(instrument_name="placed", attribute_keys=set()),
        View(instrument_name="wide", attribute_keys=set(), aggregation=ExponentialBucketHistogramAggregation()),
    ]
    reader = metric_reader(figures.registry)
    meter = MeterProvider(metric_readers=[reader], views=views, shutdown_on_exit=False).get_meter("shop")
    with TracerProvider(shutdown_on_exit=False).get_tracer("test").start_as_current_span("work"):
        meter.create_counter("placed").add(1, {"order": "7", "text": "x" * 100})
        meter.create_histogram("wide").record(1.5, {"order": "8"})
    found = {family.name: family.series[0][1] for family in collect(figures.registry)}
    reader.shutdown()
    assert set(found["placed"].exemplar.labels) == {"trace_id", "span_id", "order"}
    (exemplar,) = found["wide"].native.nh_exemplars
    assert (exemplar.value, exemplar.labels["order"]) == (1.5, "8")
    assert abs(time.time() - found["placed"].created) < 3600


def test_a_forked_child_does_not_show_its_parent_s_totals(figures, meter):
    """They would count twice in a group of processes. A provider of the child's own is shown."""
    meter.create_counter("requests").add(1)

    def child():
        assert figures("requests_total") is None
        own = MeterProvider(metric_readers=[metric_reader(figures.registry)], shutdown_on_exit=False)
        own.get_meter("shop").create_counter("requests").add(5)
        assert figures("requests_total") == 5

    in_child(child)
    assert figures("requests_total") == 1


def test_a_push_leaves_it_to_the_provider(figures, meter):
    """Which has a reader of OpenTelemetry's for that, where the program wants it pushed."""
    meter.create_counter("requests").add(1)
    Counter("ours", "o", registry=figures.registry).inc()
    with closing(Receiver()) as receiver:
        settings = Settings(serve=False, otlp_metrics_endpoint=f"{receiver.url}/v1/metrics")
        with Manometer(settings, registry=figures.registry):
            assert figures("requests_total") == 1
    names = {metric.name for metric in metrics(receiver.metrics)}
    assert "ours" in names
    assert "requests" not in names
    (sent,) = receiver.metrics[0].resource_metrics
    keys = {attribute.key for attribute in sent.resource.attributes}
    assert "service.name" in keys
    assert "service_name" not in keys


def test_without_the_sdk_an_error_names_the_extra(monkeypatch):
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.metrics.export", None)
    monkeypatch.delitem(sys.modules, "manometer.instrumentation.opentelemetry.reader", raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'manometer\[otlp\]'"):
        metric_reader()
