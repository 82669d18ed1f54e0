"""Traces of runs that were not recorded, but failed or were slow."""

from contextlib import suppress

import pytest
from opentelemetry import trace

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
