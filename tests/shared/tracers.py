"""Tracing that a test sets up: fixtures for a conftest to import."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from manometer.meters.outages import Outages
from manometer.tracing import spans


@pytest.fixture
def tracer(monkeypatch):
    """Have stages get their spans from that object."""

    def set_up(tracer):
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", object())
        monkeypatch.setattr(spans, "_tracer", tracer)
        monkeypatch.setattr(spans, "_outages", Outages())

    return set_up


@pytest.fixture
def traced(tracer):
    """Set up tracing with that sampler; what is exported comes back by name."""
    exporter = InMemorySpanExporter()

    def set_up(sampler):
        provider = TracerProvider(sampler=sampler)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer(provider.get_tracer("manometer"))
        return lambda: {span.name: span for span in exporter.get_finished_spans()}

    return set_up
