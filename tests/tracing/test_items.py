"""Traces of work that crosses a queue."""

import asyncio
import queue
import threading

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBasedTraceIdRatio

from manometer import instrument_queue, stage
from manometer.tracing.sampling import Sampling
from waiting import joined

ALWAYS = Sampling(1.0)
RARELY = Sampling(1e-18)
NEVER = Sampling(0.0)
CALLER = trace.NonRecordingSpan(trace.SpanContext(7, 9, is_remote=True, trace_flags=trace.TraceFlags(1)))


class Job:
    """An item, another one each time."""


@pytest.fixture(params=[queue.Queue, queue.SimpleQueue, queue.LifoQueue])
def jobs(request, figures):
    """A queue of threads."""
    return instrument_queue(request.param(), name="jobs", registry=figures.registry)


@pytest.fixture
def measured(figures):
    """Stages of that registry."""
    return lambda name, **more: stage(name, registry=figures.registry, **more)


def in_a_thread(work):
    """Run that where no trace is under way, and where it changes nothing for the tests that come."""
    thread = threading.Thread(target=work)
    thread.start()
    joined(thread)


def links(spans):
    """The names of the spans, with those of the spans that they are linked to."""
    names = {span.context.span_id: span.name for span in spans}
    return [(span.name, [names[link.context.span_id] for link in span.links]) for span in spans]


@pytest.mark.parametrize("form", ["function", "block"])
def test_a_trace_that_begins_with_an_item_is_linked_to_the_one_that_put_it(measured, recorded, jobs, form):
    """Each to its own; it is a trace apart, and the stages within it are its children."""
    sent = recorded(ALWAYS)
    inner = measured("inner")(lambda: None)

    @measured("handle")
    def handle():
        inner()

    def work():
        for _ in range(2):
            jobs.get()
            if form == "function":
                handle()
            else:
                with measured("handle"):
                    inner()

    for name in ("first", "second"):
        with measured(name):
            jobs.put(Job())
    in_a_thread(work)
    told = links(sent.spans)
    assert [each for each in told if each[0] == "inner"] == [("inner", [])] * 2
    assert sorted(each for each in told if each[0] == "handle") == [("handle", ["first"]), ("handle", ["second"])]
    assert {frozenset(each) for each in sent.traces()} == {
        frozenset(["handle"]),
        *map(frozenset, (["first"], ["second"])),
    }


@pytest.mark.parametrize("sampling", [RARELY, NEVER])
def test_the_decision_on_the_trace_of_an_item_follows_the_one_that_put_it(measured, recorded, jobs, sampling):
    """Where that one is recorded, so is what becomes of the item. Else the next trace is decided upon by itself."""
    sent = recorded(sampling)
    handle = measured("handle")(lambda: None)

    def work():
        jobs.get()
        handle()

    with trace.use_span(CALLER), measured("put"):
        jobs.put(Job())
    in_a_thread(work)
    assert links(sent.spans) == [("put", []), ("handle", ["put"])]
    jobs.put(Job())
    in_a_thread(work)
    assert len(sent.spans) == 2


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ParentBasedTraceIdRatio(1e-18)])
def test_a_provider_of_the_program_has_the_links_too(measured, traced, jobs, sampler):
    """Its spans are begun with them, so that its sampler and its processors see them."""
    exported = traced(sampler)
    handle = measured("handle")(lambda: None)
    with trace.use_span(CALLER), measured("put"):
        jobs.put(Job())
    in_a_thread(lambda: (jobs.get(), handle()))
    assert [link.context.trace_id for link in exported()["handle"].links] == [7]


def test_a_trace_that_is_under_way_is_linked_to_all_whose_items_it_takes(measured, recorded, jobs):
    """As one that takes a batch."""
    sent = recorded(ALWAYS)
    for name in ("first", "second"):
        with measured(name):
            jobs.put(Job())
    with measured("batch"):
        jobs.get()
        jobs.get()
    (found,) = [targets for name, targets in links(sent.spans) if name == "batch"]
    assert sorted(found) == ["first", "second"]


def test_a_link_is_to_the_item_that_was_taken_last(measured, recorded, jobs):
    """What follows an item that nobody's trace has put has none."""
    sent = recorded(ALWAYS)
    handle = measured("handle")(lambda: None)
    with measured("put"):
        jobs.put(Job())

    def work():
        jobs.get()
        handle()
        jobs.put(Job())
        jobs.get()
        handle()

    in_a_thread(work)
    assert [targets for name, targets in links(sent.spans) if name == "handle"] == [["put"], []]


def test_one_object_that_waits_twice_has_each_giver(measured, recorded, figures):
    """In the order in which it was put."""
    sent = recorded(ALWAYS)
    jobs = instrument_queue(queue.Queue(), name="jobs", registry=figures.registry)
    handle = measured("handle")(lambda: None)
    with measured("first"):
        jobs.put(1)
    with measured("second"):
        jobs.put(1)

    def work():
        for _ in range(2):
            jobs.get()
            handle()

    in_a_thread(work)
    assert [targets for name, targets in links(sent.spans) if name == "handle"] == [["first"], ["second"]]


def test_a_refused_item_leaves_nothing(measured, recorded, figures):
    """The next of the same kind is not taken for it."""
    sent = recorded(ALWAYS)
    jobs = instrument_queue(queue.Queue(1), name="jobs", registry=figures.registry)
    handle = measured("handle")(lambda: None)
    jobs.put(0)
    with measured("refused"), pytest.raises(queue.Full):
        jobs.put_nowait(1)
    jobs.get()
    jobs.put(1)
    in_a_thread(lambda: (jobs.get(), handle()))
    assert [targets for name, targets in links(sent.spans) if name == "handle"] == [[]]


async def test_tasks_have_the_links_of_their_items(measured, recorded, figures):
    """Of a queue of asyncio, whichever task takes the item."""
    sent = recorded(ALWAYS)
    jobs = instrument_queue(asyncio.Queue(), name="jobs", registry=figures.registry)

    @measured("handle")
    async def handle():
        await asyncio.sleep(0)

    async def work():
        await jobs.get()
        await handle()

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0)
    for number in range(3):
        with measured(f"put {number}"):
            await jobs.put(Job())
    await asyncio.gather(*tasks)
    found = sorted(targets for name, targets in links(sent.spans) if name == "handle")
    assert found == [["put 0"], ["put 1"], ["put 2"]]


def test_a_broken_span_of_the_program_keeps_no_item(jobs, tracer):
    """The item comes and goes all the same."""
    tracer(None)

    class Broken(trace.NonRecordingSpan):
        def get_span_context(self):
            raise RuntimeError

        is_recording = get_span_context

    with trace.use_span(Broken(trace.INVALID_SPAN_CONTEXT)):
        jobs.put(1)
        assert jobs.get() == 1
