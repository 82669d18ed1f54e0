"""What the tests of pushed metrics share."""

import time

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client import CollectorRegistry

from manometer import Counter
from manometer.meters.family import Family
from manometer.otlp.destination import Destination
from manometer.otlp.metrics.encoding import metrics_of, requests
from manometer.otlp.metrics.push import Push, Rhythm
from manometer.otlp.metrics.sender import Sender
from manometer.otlp.metrics.sources import Alone
from manometer.registry.collection import collect
from manometer.registry.foreign import family_of
from manometer.registry.self_metrics import SelfMetrics
from tracers import traced, tracer
from waiting import DEADLINE

__all__ = ["traced", "tracer"]

SELDOM = 3600.0


@pytest.fixture
def registry():
    """A registry of the test's own."""
    return CollectorRegistry()


@pytest.fixture
def pushed():
    """What a push of the registry sends, as its requests; or of families that were collected already."""

    def push(found, now=None):
        families = found if isinstance(found, list) else collect(found)
        now = time.time_ns() if now is None else now
        metrics = [
            metric
            for each in families
            for metric in metrics_of(each if isinstance(each, Family) else family_of(each), now)
        ]
        return [ExportMetricsServiceRequest.FromString(body) for body, _ in requests(metrics, b"", b"")]

    return push


@pytest.fixture
def pushing(registry):
    """Pushes the registry to a receiver, which its URL names; ended behind the test."""
    begun = []

    def push(to, interval=SELDOM, timeout=float(DEADLINE), of_each=False):
        destination = to if isinstance(to, Destination) else Destination(f"{to}/v1/metrics")
        sender = Sender(Alone(registry), destination, "orders", SelfMetrics.of(registry))
        begun.append(Push(sender, Rhythm(interval, timeout, 5.0), of_each=of_each))
        return begun[-1]

    yield push
    for each in begun:
        each.close()


@pytest.fixture
def orders(registry):
    """A counter."""
    return Counter("orders", "o", registry=registry)


@pytest.fixture
def outcomes(registry):
    """How many figures came to which end."""

    def counted():
        return {
            sample.labels["manometer_otlp_point_outcome"]: sample.value
            for metric in registry.collect()
            for sample in metric.samples
            if sample.name == "manometer_otlp_points_total"
        }

    return counted
