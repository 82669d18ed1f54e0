"""What the tests of pushed metrics share."""

import time

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client import CollectorRegistry

from manometer.meters.family import Family
from manometer.otlp.metrics.encoding import metrics_of, requests
from manometer.registry.collection import collect
from manometer.registry.foreign import family_of
from tracers import traced, tracer

__all__ = ["traced", "tracer"]


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
