"""Where traces begin of which a share is recorded."""

import random
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio, TraceIdRatioBased

from forking import forked
from manometer import stage
from manometer.tracing import ids, spans
from manometer.tracing.beginning import Beginning
from manometer.tracing.ratio import Ratio
from manometer.tracing.recorder import Recorder
from manometer.tracing.sampling import Sampling

HALF = Sampling(0.5, left_a_second=100)
RARELY = Sampling(1e-18, left_a_second=100)


@given(share=st.floats(1e-15, 1, exclude_max=True))
def test_the_sampler_of_another_service_decides_alike(share):
    """Whether it is the caller's decision that it follows, or the id."""
    ratio, sampler = Ratio(share), TraceIdRatioBased(share)
    assert sampler.should_sample(None, ratio.taken_id(), "s").decision.is_sampled()
    assert not sampler.should_sample(None, ratio.left_id(), "s").decision.is_sampled()
    assert ratio.takes(ratio.taken_id())
    assert not ratio.takes(ratio.left_id())


def nested(figures):
    """A function with a block and a function within."""
    inner = stage("inner", registry=figures.registry)(lambda: None)

    @stage("outer", registry=figures.registry)
    def run():
        with stage("block", registry=figures.registry):
            inner()

    return run


def test_a_share_of_the_traces_is_recorded_as_a_whole(figures, recorded):
    """Each has all its stages, or none."""
    ids.chance.seed(1)
    sent = recorded(HALF)
    run = nested(figures)
    for _ in range(400):
        run()
    traces = sent.traces()
    assert 150 < len(traces) < 250
    assert all(each == {"outer": {"block": {"inner": {}}}} for each in traces)
    assert len({span.context.trace_id for span in sent.spans}) == len(traces)


@pytest.mark.parametrize("sampler", [ParentBasedTraceIdRatio(0.5), TraceIdRatioBased(0.5)])
def test_a_known_sampler_of_the_program_has_its_way(figures, traced, sampler):
    """What it would take is taken, by spans of the program's provider with ids that it would take."""
    ids.chance.seed(1)
    exported = traced(sampler)
    begun = []
    run = stage("outer", registry=figures.registry)(lambda: begun.append(trace.get_current_span()))
    for _ in range(200):
        run()
    taken = [span for span in begun if span.is_recording() or span.get_span_context().trace_flags.sampled]
    assert 70 < len(taken) < 130
    assert exported()["outer"].instrumentation_scope.name == "manometer"
    asked = TraceIdRatioBased(0.5).should_sample
    for span in begun:
        decision = asked(None, span.get_span_context().trace_id, "s").decision
        assert decision.is_sampled() is span.get_span_context().trace_flags.sampled


def test_ids_of_the_program_s_own_making_are_kept(figures, tracer):
    """Such as those that have the time in them: there, its sampler is asked."""

    class Numbered(RandomIdGenerator):
        def generate_trace_id(self):
            return 7

    provider = TracerProvider(sampler=TraceIdRatioBased(0.5), id_generator=Numbered())
    tracer(provider.get_tracer("manometer"), provider)
    seen = []
    run = stage("s", registry=figures.registry)(lambda: seen.append(trace.get_current_span().get_span_context()))
    for _ in range(10):
        run()
    assert {each.trace_id for each in seen} == {7}


def test_traces_that_are_not_recorded_have_ids_of_their_own(figures, recorded):
    """One for all that happens in it, and another for the next, though the next reuses what nobody has seen."""
    recorded(RARELY)
    told = []

    def tell():
        told.append(trace.get_current_span().get_span_context().trace_id)

    inner = stage("inner", registry=figures.registry)(tell)

    @stage("outer", registry=figures.registry)
    def run(tells):
        if tells:
            tell()
            inner()

    for tells in (False, True, False, True, True):
        run(tells)
    assert told[0::2] == told[1::2]
    assert len(set(told)) == 3


def test_what_nobody_has_seen_of_a_trace_serves_the_next(figures, recorded, monkeypatch):
    """So that most traces make nothing."""
    recorded(RARELY)
    run, made, another = nested(figures), [], Beginning.another
    run()
    run()
    monkeypatch.setattr(Beginning, "another", lambda beginning: made.append(1) or another(beginning))
    for _ in range(10):
        run()
    assert not made


def test_what_goes_on_after_a_trace_keeps_its_trace(figures, recorded):
    """As a task that was started in it: the traces that come do not get its place."""
    recorded(RARELY)
    contexts = []
    run = stage("outer", registry=figures.registry)(lambda: contexts.append(copy_context()))
    for _ in range(5):
        run()
    found = [each.run(trace.get_current_span) for each in contexts]
    assert len({id(each) for each in found}) == 5
    assert len({each.get_span_context().trace_id for each in found}) == 5


def test_nothing_stays_of_a_trace_that_is_over(figures, recorded):
    """The context of before is the current one, however the run ended."""
    recorded(RARELY)

    @stage("outer", registry=figures.registry)
    def run(error):
        assert trace.get_current_span() is not trace.INVALID_SPAN
        if error is not None:
            raise error

    for error in (None, None, KeyError(), None, SystemExit()):
        if error is None:
            run(None)
        else:
            with pytest.raises(type(error)):
                run(error)
        assert trace.get_current_span() is trace.INVALID_SPAN


def test_settings_that_change_amid_a_trace_hold_from_the_next(figures, recorded):
    """What was known of the context is looked up anew."""
    sent = recorded(RARELY)
    provider = trace._TRACER_PROVIDER

    @stage("outer", registry=figures.registry)
    def run(sampling):
        if sampling is not None:
            spans.record_by(provider, Recorder(provider, sampling, sent.on_end, sent.counted.append))

    run(None)
    run(None)
    run(Sampling(1.0))
    assert sent.traces() == []
    run(None)
    assert sent.traces() == [{"outer": {}}]


def test_a_program_that_seeds_its_random_numbers_has_different_ids():
    """As one does whose results are to be the same each time."""
    made = set()
    for _ in range(3):
        random.seed(1)
        made.add(ids.new_trace_id())
    assert len(made) == 3


def test_a_forked_child_has_other_ids(tmp_path):
    """Than its parent would have had."""
    told = tmp_path / "told"
    with forked(lambda: told.write_text(str(ids.new_trace_id()))):
        pass
    assert int(told.read_text()) != ids.new_trace_id()
