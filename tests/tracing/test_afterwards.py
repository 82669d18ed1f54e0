"""Traces of runs that were not recorded, but failed or were slow."""

import asyncio
from contextlib import suppress

import pytest
from opentelemetry import context as trace_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from collected import collect
from manometer import stage
from manometer.instrumentation.clock import measure_by
from manometer.testing.clock import ManualClock
from manometer.tracing.sampling import Sampling

NONE = Sampling(0.0, left_a_second=100)
RARELY = Sampling(1e-18, left_a_second=100)
"""Which has each root ask, and takes none all the same."""
SLOW = Sampling(0.0, left_a_second=100, slow_after=1.0)


@pytest.fixture
def measured(figures):
    """Stages of that registry."""
    return lambda name, **more: stage(name, registry=figures.registry, **more)


def exemplars(figures):
    """The trace and the span that each exemplar points at."""
    samples = [sample for family in collect(figures.registry) for sample in family.samples]
    labels = [sample.exemplar.labels for sample in samples if sample.exemplar]
    return {(each["trace_id"], each["span_id"]) for each in labels}


def ids(span):
    """The same of a span."""
    return trace.format_trace_id(span.context.trace_id), trace.format_span_id(span.context.span_id)


def function(measured, name, *within, error=None):
    """A run of a function that runs these."""

    @measured(name)
    def run():
        for each in within:
            each()
        if error is not None:
            raise error

    return run


def block(measured, name, *within, error=None):
    """A run of a block that runs these."""

    def run():
        with measured(name):
            for each in within:
                each()
            if error is not None:
                raise error

    return run


@pytest.mark.parametrize("sampling", [NONE, RARELY])
@pytest.mark.parametrize("outer", [function, block])
@pytest.mark.parametrize("inner", [function, block])
def test_a_failed_run_leaves_its_trace(figures, measured, recorded, sampling, outer, inner):
    """With the stages within it, one below the other, the error, and nothing of what ran before."""
    sent = recorded(sampling)
    bottom = inner(measured, "bottom")
    bottom()
    failing = inner(measured, "failing", bottom, error=KeyError("lost"))
    run = outer(measured, "outer", inner(measured, "first", bottom), failing)
    with pytest.raises(KeyError):
        run()
    run = outer(measured, "fine", bottom)
    run()
    assert sent.traces() == [{"outer": {"first": {"bottom": {}}, "failing": {"bottom": {}}}}]
    failed = [span for span in sent.spans if span.events]
    assert {span.name for span in failed} == {"outer", "failing"}
    for span in failed:
        assert span.attributes["error.type"] == span.events[0].attributes["exception.type"] == "KeyError"
        assert "raise error\n" in span.events[0].attributes["exception.stacktrace"]
        assert not span.status.is_ok
    assert exemplars(figures) == {ids(span) for span in failed}
    assert sent.counted == ["left"]
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize("sampling", [NONE, RARELY])
@pytest.mark.parametrize("outer", [function, block])
@pytest.mark.parametrize("inner", [function, block])
def test_a_failure_that_the_program_takes_care_of_is_in_the_trace_around(
    figures, measured, recorded, sampling, outer, inner
):
    """The outermost run ends the trace, though it ends well."""
    sent = recorded(sampling)

    def tried():
        with suppress(KeyError):
            inner(measured, "failing", error=KeyError())()

    outer(measured, "outer", inner(measured, "first"), tried, inner(measured, "last"))()
    assert sent.traces() == [{"outer": {"first": {}, "failing": {}, "last": {}}}]
    outer(measured, "outer")()
    assert len(sent.traces()) == 1
    assert exemplars(figures) == {ids(span) for span in sent.spans if span.name == "failing"}


def test_a_slow_run_leaves_its_trace(figures, measured, recorded):
    """Slow is what the setting says; its times are those of the run."""
    clock = ManualClock()
    measure_by(figures.registry, clock)
    sent = recorded(SLOW)
    run = function(
        measured, "outer", function(measured, "inner", lambda: clock.advance(2)), lambda: clock.advance(0.5)
    )
    run()
    assert sent.traces() == [{"outer": {"inner": {}}}]
    assert [(span.end_time - span.start_time) / 1e9 for span in sent.spans] == [2.5, 2]


@pytest.mark.parametrize("sampling", [NONE, RARELY])
async def test_tasks_leave_a_trace_each(measured, recorded, sampling):
    """What runs in a task belongs to the run that is under way there, however the tasks take turns."""
    sent = recorded(sampling)

    @measured("step")
    async def step():
        await asyncio.sleep(0)

    @measured("work")
    async def work(error):
        await step()
        await asyncio.sleep(0)
        await step()
        if error is not None:
            raise error

    await asyncio.gather(*[work(KeyError() if number % 2 else None) for number in range(6)], return_exceptions=True)
    assert [trace.keys() for trace in sent.traces()] == [{"work"}] * 3
    assert [span.name for span in sent.spans] == ["work", "step", "step"] * 3
    assert len({span.context.trace_id for span in sent.spans}) == 3


def test_a_caller_s_trace_goes_on(measured, recorded):
    """Where the caller recorded none, the trace that is left has its id, below its span."""
    sent = recorded(Sampling(1.0, left_a_second=100))
    caller = SpanContext(7, 9, is_remote=True, trace_flags=TraceFlags(0))
    token = trace_context.attach(trace.set_span_in_context(NonRecordingSpan(caller)))
    try:
        with pytest.raises(KeyError):
            function(measured, "outer", function(measured, "inner", error=KeyError()))()
    finally:
        trace_context.detach(token)
    assert sent.traces() == [{"outer": {"inner": {}}}]
    assert {span.context.trace_id for span in sent.spans} == {7}
    assert sent.spans[0].parent.span_id == 9


def test_no_more_traces_are_left_than_the_setting_allows(figures, measured, recorded):
    """Those of ten seconds at once; a run past that is counted, and has neither a trace nor an exemplar."""
    sent = recorded(Sampling(0.0, left_a_second=0.2))
    for _ in range(5):
        with suppress(KeyError):
            function(measured, "failing", error=KeyError())()
    assert sent.counted == ["left"] * 2 + ["over_limit"] * 3
    assert len(sent.traces()) == 2
    assert figures("engine_stage_duration_seconds_count", engine_stage_outcome="error") == 5


def test_recursion_leaves_one_trace(measured, recorded):
    """The outermost of the runs of one stage is the root."""
    sent = recorded(NONE)

    @measured("down")
    def down(depth):
        if not depth:
            raise KeyError
        with suppress(KeyError):
            down(depth - 1)

    down(3)
    down(1)
    assert sent.traces() == [{"down": {"down": {"down": {"down": {}}}}}, {"down": {"down": {}}}]
