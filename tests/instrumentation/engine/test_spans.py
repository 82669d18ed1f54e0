"""The spans of stages, with OpenTelemetry's real SDK."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import StatusCode

from manometer import stage
from manometer.instrumentation.engine import spans
from manometer.meters.collection import collect


@pytest.fixture
def traced(monkeypatch):
    """Set up tracing with that sampler; what is exported comes back by name."""
    exporter = InMemorySpanExporter()

    def set_up(sampler):
        provider = TracerProvider(sampler=sampler)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
        monkeypatch.setattr(spans, "_tracer", provider.get_tracer("manometer"))
        return lambda: {span.name: span for span in exporter.get_finished_spans()}

    return set_up


def test_stages_within_a_stage_are_its_children(figures, traced):
    """One trace, from the outer stage to the inner one."""
    exported = traced(ALWAYS_ON)
    with stage("outer", registry=figures.registry), stage("inner", engine="e", registry=figures.registry):
        pass
    outer, inner = exported()["outer"], exported()["inner"]
    assert inner.parent.span_id == outer.context.span_id
    assert inner.attributes == {"manometer.engine": "e", "manometer.stage": "inner"}


def test_a_failed_stage_says_so(figures, traced):
    """Status, error type and the exception itself are on the span."""
    exported = traced(ALWAYS_ON)
    with pytest.raises(KeyError), stage("s", registry=figures.registry):
        raise KeyError("lost")
    span = exported()["s"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "KeyError"
    assert [event.name for event in span.events] == ["exception"]


def test_a_sampled_run_leaves_an_exemplar(figures, traced):
    """The bucket that the run fell into points at its trace."""
    exported = traced(ALWAYS_ON)
    with stage("s", registry=figures.registry):
        pass
    context = exported()["s"].context
    exemplars = [
        sample.exemplar.labels for family in collect(figures.registry) for sample in family.samples if sample.exemplar
    ]
    assert exemplars == [{"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}]


def test_a_run_that_is_not_sampled_leaves_neither(figures, traced):
    """And the stages within do not ask again: no fragments of a trace."""
    exported = traced(ALWAYS_OFF)
    with stage("outer", registry=figures.registry):
        assert not trace.get_current_span().get_span_context().trace_flags.sampled
        with stage("inner", registry=figures.registry):
            pass
    assert exported() == {}
    assert not [s for family in collect(figures.registry) for s in family.samples if s.exemplar]


async def test_a_generators_span_is_nobodys_parent(figures, traced):
    """What the caller does between two values is not the generator's work."""
    exported = traced(ALWAYS_ON)

    @stage("generator", registry=figures.registry)
    def values():
        yield 1

    for _ in values():
        with stage("caller", registry=figures.registry):
            pass
    assert exported()["caller"].parent is None


def test_a_broken_tracer_does_not_reach_the_program(figures, monkeypatch, caplog):
    """The span is lost and logged; the run is measured."""

    class Broken:
        def start_span(self, *args, **kwargs):
            raise RuntimeError("no tracer")

    monkeypatch.setattr(trace, "_TRACER_PROVIDER", object())
    monkeypatch.setattr(spans, "_tracer", Broken())
    with stage("s", registry=figures.registry):
        pass
    assert figures("engine_stage_duration_seconds_count", outcome="ok") == 1
    assert "no tracer" in caplog.text


def test_without_tracing_no_span_is_asked_for(figures, monkeypatch):
    """A program that never set up OpenTelemetry pays for none of it."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(spans, "_tracer", None)
    with stage("s", registry=figures.registry):
        pass
    assert figures("engine_stage_duration_seconds_count", outcome="ok") == 1
