"""Tracing that a test sets up: fixtures for a conftest to import."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from manometer.meters.outages import Outages
from manometer.tracing import latest, spans, stage_span
from manometer.tracing.recorder import Recorder


@pytest.fixture
def tracer(monkeypatch):
    """Have stages get their spans from that object, of that provider."""

    def set_up(tracer, provider=None):
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider or object())
        monkeypatch.setattr(spans, "_tracer", tracer)
        outages = Outages()
        monkeypatch.setattr(spans, "outages", outages)
        monkeypatch.setattr(stage_span, "outages", outages)
        monkeypatch.setattr(latest.latest, "pair", latest.NOWHERE)

    return set_up


@pytest.fixture
def traced(tracer):
    """Set up tracing with that sampler; what is exported comes back by name."""
    exporter = InMemorySpanExporter()

    def set_up(sampler):
        provider = TracerProvider(sampler=sampler)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer(provider.get_tracer("manometer"), provider)
        return lambda: {span.name: span for span in exporter.get_finished_spans()}

    return set_up


class Recorded(SpanProcessor):
    """What a provider of ours sends, and what is counted of the traces that are left afterwards."""

    def __init__(self):
        self._taken, self.counted = [], []

    def on_end(self, span):
        self._taken.append(span)

    @property
    def spans(self):
        """Those that were sent, in that order."""
        return [span if isinstance(span, ReadableSpan) else span.finished() for span in self._taken]

    def traces(self):
        """The names of the spans of each trace, each below its parent: `{"outer": {"inner": {}}}`."""
        spans = self.spans

        def below(parent):
            return {
                span.name: below(span.context.span_id)
                for span in sorted(spans, key=lambda span: span.start_time)
                if (span.parent and span.parent.span_id) == parent
            }

        known = {span.context.span_id for span in spans}
        roots = [span for span in spans if span.parent is None or span.parent.span_id not in known]
        return [{root.name: below(root.context.span_id)} for root in roots]


@pytest.fixture
def recorded(tracer, monkeypatch):
    """Set up tracing by a provider of ours, with that sampling."""

    def set_up(sampling):
        sent = Recorded()
        provider = TracerProvider()
        provider.add_span_processor(sent)
        tracer(provider.get_tracer("manometer"), provider)
        monkeypatch.setattr(spans, "_recording", (None, None))
        spans.record_by(provider, Recorder(provider, sampling, sent.on_end, sent.counted.append))
        return sent

    return set_up
