"""The spans of stages, with OpenTelemetry's real SDK."""

from contextlib import suppress

import pytest
from opentelemetry import context as trace_context
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags

from collected import collect
from manometer import stage
from manometer.tracing import here, spans, stage_span


def test_stages_within_a_stage_are_its_children(figures, traced):
    """One trace, from the outer stage to the inner one."""
    exported = traced(ALWAYS_ON)
    with stage("outer", registry=figures.registry), stage("inner", engine="e", registry=figures.registry):
        pass
    outer, inner = exported()["outer"], exported()["inner"]
    assert inner.parent.span_id == outer.context.span_id
    assert inner.attributes == {"engine.name": "e", "engine.stage.name": "inner"}


def test_a_failed_stage_says_so(figures, traced):
    """Status, error type and the exception itself are on the span."""
    exported = traced(ALWAYS_ON)
    with pytest.raises(KeyError), stage("s", registry=figures.registry):
        raise KeyError("lost")
    span = exported()["s"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "'lost'"
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


def test_a_stage_under_a_parent_that_is_not_sampled_has_no_span(figures, traced):
    """Whatever the sampler would say of it: the trace would be a fragment."""
    exported = traced(ALWAYS_ON)
    parent = NonRecordingSpan(SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(0)))
    token = trace_context.attach(trace.set_span_in_context(parent))
    try:
        with stage("s", registry=figures.registry):
            assert trace.get_current_span() is parent
    finally:
        trace_context.detach(token)
    assert exported() == {}


class Interrupting(set):
    """A signal handler raises as soon as anything is added."""

    def add(self, run):
        super().add(run)
        raise KeyboardInterrupt


@pytest.mark.parametrize("moment", ["noted", "made current", "timed"])
def test_a_block_that_is_interrupted_as_it_begins_leaves_nothing(figures, traced, monkeypatch, moment):
    """The program has the exception, the span tells of it, and the block around it goes on."""
    exported = traced(ALWAYS_ON)
    measured = stage("s", registry=figures.registry)
    runs = measured._series.runs

    def interrupt(*_):
        raise KeyboardInterrupt

    with measured, measured:
        around = trace.get_current_span()
        with monkeypatch.context() as patch:
            if moment == "noted":
                patch.setattr(runs, "held", Interrupting(runs.held))
            elif moment == "made current":
                patch.setattr(spans.StageSpan, "make_current", interrupt)
            else:
                patch.setattr(measured._series, "clock", interrupt)
            with pytest.raises(KeyboardInterrupt) as caught, measured:
                pytest.fail("it began")
        assert figures("engine_stage_active", engine_stage_name="s") == 2
        assert trace.get_current_span() is around
        errors = [span.attributes["error.type"] for span in exported().values()]
        assert errors == ([] if moment == "noted" else ["KeyboardInterrupt"])
    assert figures("engine_stage_active", engine_stage_name="s") == 0
    assert figures.all("engine_stage_duration_seconds_count", "engine_stage_outcome") == {"ok": 2, "error": 0}
    assert caught.type is KeyboardInterrupt  # and its frames live until here, with all that they hold


@pytest.mark.parametrize("moment", ["noted", "timed"])
def test_a_block_that_is_interrupted_as_it_is_entered_by_hand_leaves_nothing(figures, traced, monkeypatch, moment):
    """The block that was entered before goes on, and is the next to end."""
    traced(ALWAYS_ON)
    measured = stage("s", registry=figures.registry)
    runs = measured._series.runs

    def interrupt():
        raise KeyboardInterrupt

    measured.__enter__()
    around = trace.get_current_span()
    with monkeypatch.context() as patch:
        if moment == "noted":
            patch.setattr(runs, "held", Interrupting(runs.held))
        else:
            patch.setattr(measured._series, "clock", interrupt)
        with pytest.raises(KeyboardInterrupt):
            measured.__enter__()
    assert trace.get_current_span() is around
    measured.__exit__(None, None, None)
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert figures("engine_stage_active", engine_stage_name="s") == 0
    assert figures.all("engine_stage_duration_seconds_count", "engine_stage_outcome") == {"ok": 1, "error": 0}


async def test_a_generators_span_is_nobodys_parent(figures, traced):
    """What the caller does between two values is not the generator's work."""
    exported = traced(ALWAYS_ON)

    @stage("generator", registry=figures.registry)
    def values():
        yield 1

    @stage("generator", registry=figures.registry)
    async def later_values():
        yield 1

    for _ in values():
        with stage("caller", registry=figures.registry):
            pass
    async for _ in later_values():
        with stage("later caller", registry=figures.registry):
            pass
    assert exported()["caller"].parent is exported()["later caller"].parent is None


class Broken:
    """A tracer, or a span, that raises whatever it is asked, until it is mended."""

    def __init__(self, part):
        self.part, self.is_broken = part, True

    def start_span(self, *args, **kwargs):
        if self.part == "start":
            self.fail()
        return self

    def get_span_context(self):
        if self.part == "context":
            self.fail()
        return SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(1))

    def is_recording(self):
        if self.part == "recording":
            self.fail()
        return False

    def end(self):
        if self.part == "end":
            self.fail()

    def fail(self):
        if self.is_broken:
            raise RuntimeError(f"no {self.part}")


STARTED = (
    "the spans of stages cannot be started; they are lost until they can",
    "the spans of stages can be started again",
)
ENDED = (
    "the spans of stages cannot be ended in full; their ends are lost until they can",
    "the spans of stages are ended in full again",
)


@pytest.mark.parametrize(("part", "messages"), [
    ("start", STARTED),
    ("context", STARTED),
    ("leaving", ENDED),
    ("recording", ENDED),
    ("end", ENDED),
])  # fmt: skip
def test_a_broken_tracer_does_not_reach_the_program(figures, tracer, monkeypatch, part, messages, caplog):
    """Its spans are lost, which is logged once, and once more when it works again; the runs are measured."""
    caplog.set_level("INFO")
    broken, detach = Broken(part), here.detach
    tracer(broken)
    if part == "leaving":
        monkeypatch.setattr(here, "detach", lambda token: (detach(token), broken.fail()))
    for _ in range(100):
        with suppress(KeyError), stage("s", registry=figures.registry):
            raise KeyError
    assert figures("engine_stage_duration_seconds_count", engine_stage_outcome="error") == 100
    assert [record.message for record in caplog.records] == [messages[0]]
    assert f"no {part}" in caplog.text
    assert trace.get_current_span() is trace.INVALID_SPAN
    broken.is_broken = False
    for _ in range(2):
        with suppress(KeyError), stage("s", registry=figures.registry):
            raise KeyError
    assert [record.message for record in caplog.records] == list(messages)
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_span_ends_once(figures, traced, monkeypatch, caplog):
    """Nothing is done about it when it is gone."""
    exported = traced(ALWAYS_ON)
    monkeypatch.setattr(stage_span, "_abandoned", lambda *_: pytest.fail("it was not abandoned"))
    measured = stage("function", registry=figures.registry)(lambda: None)
    measured()
    with stage("block", registry=figures.registry):
        pass
    assert exported().keys() == {"function", "block"}
    assert not stage_span.open_spans
    assert not caplog.records


def test_a_block_that_is_left_without_its_exit_ends_its_span(figures, traced):
    """As where an exception of a signal handler misses the exit: the parent is current again."""
    exported = traced(ALWAYS_ON)
    with stage("outer", registry=figures.registry):
        outer = trace.get_current_span()
        left = stage("left", registry=figures.registry)
        left.__enter__()
        assert trace.get_current_span() is not outer
        assert figures("engine_stage_active", engine_stage_name="left") == 1
        del left
        assert trace.get_current_span() is outer
        assert figures("engine_stage_active", engine_stage_name="left") == 0
    assert exported().keys() == {"outer", "left"}
    assert not stage_span.open_spans


def test_without_tracing_no_span_is_asked_for(figures, monkeypatch):
    """A program that never set up OpenTelemetry pays for none of it."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(spans, "_tracer", None)
    with stage("s", registry=figures.registry):
        pass
    assert figures("engine_stage_duration_seconds_count", engine_stage_outcome="ok") == 1
