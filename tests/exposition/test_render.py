"""The body of /metrics: prometheus-client's own bytes where all is well, and all but the faulty where not."""

import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    Summary,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from manometer.catalogue import self_metrics as rows
from manometer.exposition.render import render

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


def _registry():
    registry = CollectorRegistry(target_info={"service": "orders"})
    Counter("orders", "Orders, with a \\ and\na line break.", ["side"], registry=registry).labels('b"\\\nuy').inc(3)
    Gauge("depth", "Depth.", registry=registry).set(float("nan"))
    Histogram("wait_seconds", "Wait.", registry=registry).observe(0.3, {"trace_id": "ab"})
    Summary("size", "Size.", registry=registry).observe(3)
    Info("build", "Build.", registry=registry).info({"version": "1"})
    Enum("mode", "Mode.", states=["on", "off"], registry=registry)
    PlatformCollector(registry=registry)
    return registry


class _Raising(Collector):
    def describe(self):
        return []

    def collect(self):
        raise RuntimeError("broken")


class _Fixed(Collector):
    def __init__(self, *families):
        self.families = families

    def collect(self):
        return self.families


def _odd(kind):
    """A family that no encoder can write."""
    if kind == "label value that is no text":
        family = GaugeMetricFamily("odd", "Odd.", labels=["a"])
        family.samples.append(Sample("odd", {"a": 1}, 1.0))
    elif kind == "label value that is no Unicode":
        family = GaugeMetricFamily("odd", "Odd.", labels=["a"])
        family.add_metric(["\ud800"], 1)
    elif kind == "timestamp that is no number":
        family = GaugeMetricFamily("odd", "Odd.")
        family.samples.append(Sample("odd", {}, 1.0, "yesterday"))
    else:
        family = CounterMetricFamily("odd", "Odd.", value=1)
        family.samples.append(Sample("odd_total", {}, "much"))
    return family


def test_a_healthy_registry_is_written_as_prometheus_client_writes_it():
    """With nothing of Manometer on it, a registry's text is the same byte for byte."""
    registry = _registry()
    body, content_type = render(registry)
    assert body == generate_latest(registry)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_a_scraper_that_asks_for_openmetrics_gets_it():
    """The Accept header chooses the format; exemplars are in OpenMetrics only."""
    registry = _registry()
    body, content_type = render(registry, OPENMETRICS)
    assert body == generate_openmetrics(registry)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    assert b'# {trace_id="ab"}' in body


def test_prometheus_own_accept_header_gets_openmetrics():
    """What Prometheus 2.42 sends."""
    accept = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75"
    assert render(_registry(), accept)[0].endswith(b"# EOF\n")


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=x", ";;;,=", "*/*", "\x00"])
def test_an_odd_accept_header_gets_an_answer(accept):
    """Whatever a client sends, it gets one of the formats."""
    assert b"orders_total" in render(_registry(), accept)[0]


def test_names_restrict_the_samples():
    """`names` keeps the samples of those names, and nothing else."""
    body, _ = render(_registry(), names=["wait_seconds_count"])
    assert body == b"# HELP wait_seconds Wait.\n# TYPE wait_seconds histogram\nwait_seconds_count 1.0\n"


def test_a_collector_that_raises_loses_only_its_own_series(caplog):
    """The others are served, and the failure is logged, and counted in the same answer."""
    registry = CollectorRegistry()
    Gauge("depth", "Depth.", registry=registry).set(3)
    registry.register(_Raising())
    body = render(registry)[0].decode()
    assert body.startswith("# HELP depth Depth.\n# TYPE depth gauge\ndepth 3.0\n")
    assert f'{rows.COLLECT_FAILURES.prometheus_name}{{manometer_collector_name="_Raising"}} 1.0\n' in body
    assert "RuntimeError: broken" in caplog.text


@pytest.mark.parametrize(
    ("kind", "accept"),
    [
        ("label value that is no text", ""),
        ("label value that is no text", OPENMETRICS),
        ("label value that is no Unicode", ""),
        ("label value that is no Unicode", OPENMETRICS),
        ("value that is no number", ""),
        ("value that is no number", OPENMETRICS),
        ("timestamp that is no number", ""),
    ],
)
def test_a_family_that_cannot_be_written_is_dropped_alone(kind, accept, caplog):
    """A careless collector costs its own family: the rest is served, and the next answer counts it."""
    registry = CollectorRegistry()
    Gauge("depth", "Depth.", registry=registry).set(3)
    registry.register(_Fixed(_odd(kind), GaugeMetricFamily("fine", "Fine.", value=1)))
    text = render(registry, accept)[0].decode()
    assert "depth 3.0\n" in text
    assert "fine 1.0\n" in text
    assert "odd" not in text
    assert "the writing of 'odd' failed" in caplog.text
    counted = f'{rows.COLLECT_FAILURES.prometheus_name}{{manometer_collector_name="odd"}} 1.0\n'
    assert counted in render(registry, accept)[0].decode()


def test_a_family_that_is_written_again_is_logged(caplog):
    """Once when it begins to fail, and once when it no longer does."""
    caplog.set_level("INFO")
    registry = CollectorRegistry()
    collector = _Fixed()
    registry.register(collector)
    fine = CounterMetricFamily("odd", "Odd.", value=1)
    for family in (fine, _odd("value that is no number"), _odd("value that is no number"), fine, fine):
        collector.families = [family]
        render(registry)
    assert [record.getMessage() for record in caplog.records] == [
        "the writing of 'odd' failed; its series are missing until it works again",
        "the writing of 'odd' works again",
    ]


def test_the_process_is_measured_beside():
    """prometheus-client's own collectors pass through."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    assert b"process_resident_memory_bytes" in render(registry)[0]


@pytest.mark.parametrize(
    "kind", ["label value that is no text", "label value that is no Unicode", "value that is no number"]
)
def test_a_family_that_protobuf_cannot_write_is_dropped_alone(kind, families):
    """As in text."""
    registry = CollectorRegistry()
    registry.register(_Fixed(_odd(kind), GaugeMetricFamily("fine", "Fine.", value=1)))
    assert [family.name for family in families(render(registry, PROTOBUF)[0])] == ["fine"]
    counted = families(render(registry, PROTOBUF)[0])[1]
    assert counted.name == rows.COLLECT_FAILURES.prometheus_name
