"""Stages: blocks, functions, coroutines and generators."""

import asyncio
import threading
from contextlib import ExitStack, suppress

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from collected import collect
from manometer import MetricError, stage
from manometer.instrumentation.clock import measure_by
from manometer.meters.labels import SERIES_CAP
from manometer.testing import ManualClock
from waiting import joined


@pytest.fixture
def measured(figures):
    """A stage on the test's registry."""
    return lambda name="s", **more: stage(name, engine="e", registry=figures.registry, **more)


def runs(figures, outcome):
    """How many runs of the stage ended that way."""
    return figures(
        "engine_stage_duration_seconds_count", engine_name="e", engine_stage_name="s", engine_stage_outcome=outcome
    )


def test_a_block_is_measured(figures, measured):
    """Duration by outcome, and in flight while it lasts."""
    with measured():
        assert figures("engine_stage_active", engine_stage_name="s") == 1
    assert figures("engine_stage_active", engine_stage_name="s") == 0
    assert runs(figures, "ok") == 1
    assert figures("engine_stage_duration_seconds_sum", engine_stage_outcome="ok") > 0


def test_an_exception_passes_through_and_is_counted_by_its_class(figures, measured):
    """The stage is over, and the program has its error."""
    with pytest.raises(ZeroDivisionError), measured():
        1 / 0  # noqa: B018
    assert runs(figures, "error") == 1
    assert runs(figures, "ok") == 0
    assert figures("engine_stage_errors_total", engine_stage_name="s", error_type="ZeroDivisionError") == 1


def test_a_function_is_measured_and_looks_the_same(figures, measured):
    """Arguments, result, name and documentation are the function's own."""

    @measured()
    def double(x, *, times=2):
        """Multiply."""
        return x * times

    assert double(3) == 6
    assert double(3, times=3) == 9
    assert (double.__name__, double.__doc__) == ("double", "Multiply.")
    assert runs(figures, "ok") == 2


def test_series_are_there_before_the_first_run(figures, measured):
    """A rate sees the first run, because the count was zero before."""
    measured()(len)
    assert runs(figures, "ok") == 0
    assert runs(figures, "error") == 0


async def test_a_coroutine_is_measured_to_its_end(figures, measured):
    """In flight while it waits; cancelled counts as an error of that class."""

    @measured()
    async def wait(event):
        await event.wait()

    events = [asyncio.Event(), asyncio.Event()]
    tasks = [asyncio.create_task(wait(event)) for event in events]
    await asyncio.sleep(0)
    assert figures("engine_stage_active", engine_stage_name="s") == 2
    events[0].set()
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert figures("engine_stage_active", engine_stage_name="s") == 0
    assert (runs(figures, "ok"), runs(figures, "error")) == (1, 1)
    assert figures("engine_stage_errors_total", error_type="CancelledError") == 1


def test_a_generator_is_one_run_from_first_to_last(figures, measured):
    """What is sent, thrown and returned goes through."""

    @measured()
    def echo():
        got = yield 1
        try:
            yield got
        except KeyError:
            yield "caught"
        return "end"

    def drive():
        return (yield from echo())

    generator = drive()
    assert next(generator) == 1
    assert figures("engine_stage_active", engine_stage_name="s") == 1
    assert generator.send("sent") == "sent"
    assert generator.throw(KeyError) == "caught"
    with pytest.raises(StopIteration) as stopped:
        next(generator)
    assert stopped.value.value == "end"
    assert runs(figures, "ok") == 1


def test_a_generator_that_is_left_early_ended_well(figures, measured):
    """Its caller had enough: that is no error."""

    @measured()
    def count():
        yield 1
        yield 2

    generator = count()
    next(generator)
    generator.close()
    assert (runs(figures, "ok"), runs(figures, "error")) == (1, 0)


async def test_an_asynchronous_generator_is_one_run(figures, measured):
    """What is sent and thrown goes through, and an error in it is counted."""

    @measured()
    async def echo():
        got = yield 1
        try:
            yield got
        except KeyError:
            yield "caught"
        raise ValueError("enough")

    generator = echo()
    assert await anext(generator) == 1
    assert await generator.asend("sent") == "sent"
    assert await generator.athrow(KeyError) == "caught"
    with pytest.raises(ValueError, match="enough"):
        await anext(generator)
    assert runs(figures, "error") == 1

    left = echo()
    await anext(left)
    await left.aclose()
    assert runs(figures, "ok") == 1


@pytest.fixture
def clock(figures):
    """Sets the time that stages see; it is 10 at first."""
    manual = ManualClock(10.0)
    measure_by(figures.registry, manual)
    return lambda seconds: setattr(manual, "now", seconds)


def exemplars(figures):
    """The stages and outcomes of the runs that left an exemplar."""
    samples = [sample for family in collect(figures.registry) for sample in family.samples]
    return {
        (sample.labels["engine_stage_name"], sample.labels["engine_stage_outcome"])
        for sample in samples
        if sample.exemplar
    }


def block(measure, work):
    """Do the work in a block."""
    with measure():
        return work(1, y=2)


def function(measure, work):
    """Do it in a function."""
    return measure()(work)(1, y=2)


def coroutine(measure, work):
    """Do it in a coroutine."""

    @measure()
    async def run(x, *, y):
        return work(x, y=y)

    return asyncio.run(run(1, y=2))


def generator(measure, work):
    """Do it in a generator."""

    @measure()
    def run(x, *, y):
        yield
        yield work(x, y=y)

    return list(run(1, y=2))[1]


def asynchronous_generator(measure, work):
    """Do it in an asynchronous generator."""

    @measure()
    async def run(x, *, y):
        yield
        yield work(x, y=y)

    async def consume():
        return [value async for value in run(1, y=2)][1]

    return asyncio.run(consume())


@pytest.mark.parametrize("is_traced", [False, True])
@pytest.mark.parametrize("error", [None, KeyError])
@pytest.mark.parametrize("form", [block, function, coroutine, generator, asynchronous_generator])
def test_a_run_lasts_as_long_as_its_work(figures, measured, clock, traced, form, error, is_traced):
    """Arguments and result pass through, and the run is told by its duration, its outcome and its span."""
    exported = traced(ALWAYS_ON) if is_traced else None

    def work(x, *, y):
        clock(17.5)
        if error is not None:
            raise error
        return x + y

    with suppress(KeyError):
        assert form(measured, work) == 3
    ended, other = ("ok", "error") if error is None else ("error", "ok")
    assert figures("engine_stage_duration_seconds_sum", engine_stage_outcome=ended) == 7.5
    assert (runs(figures, ended), runs(figures, other)) == (1, 0)
    assert figures("engine_stage_active", engine_stage_name="s") == 0
    assert figures("engine_stage_errors_total", error_type="KeyError") == (None if error is None else 1)
    assert exemplars(figures) == ({("s", ended)} if is_traced else set())
    if is_traced:
        assert exported()["s"].status.is_ok is (error is None)


def test_a_generator_that_is_left_early_lasts_until_then(figures, measured, clock, traced):
    """Both kinds: the run and its span end well."""
    exported = traced(ALWAYS_ON)

    @measured()
    def values():
        yield 1

    @measured("later")
    async def later_values():
        yield 1

    async def leave():
        running = later_values()
        await anext(running)
        clock(13.0)
        await running.aclose()

    running = values()
    next(running)
    clock(12.0)
    running.close()
    asyncio.run(leave())
    assert figures("engine_stage_duration_seconds_sum", engine_stage_name="s", engine_stage_outcome="ok") == 2.0
    assert figures("engine_stage_duration_seconds_sum", engine_stage_name="later", engine_stage_outcome="ok") == 1.0
    assert {name: span.status.is_ok for name, span in exported().items()} == {"s": True, "later": True}
    assert exemplars(figures) == {("s", "ok"), ("later", "ok")}


def test_one_object_serves_nested_blocks(figures, measured):
    """A stage within itself is two runs."""
    once = measured()
    with once, once:
        assert figures("engine_stage_active", engine_stage_name="s") == 2
    assert runs(figures, "ok") == 2


async def test_one_object_serves_tasks_whose_blocks_overlap(figures, measured, clock, traced):
    """Each run lasts as long as its own block, whichever ends first, and ends its own span."""
    exported = traced(ALWAYS_ON)
    once, begun, go = measured(), asyncio.Event(), asyncio.Event()

    async def first():
        with once:
            begun.set()
            await go.wait()

    async def second():
        await begun.wait()
        clock(11)
        with once, suppress(KeyError):
            go.set()
            await task
            clock(15)
            assert figures("engine_stage_active", engine_stage_name="s") == 1
            with once:
                raise KeyError

    task = asyncio.create_task(first())
    await second()
    # The first task's block took 1 s, the second's 4 s, the one within it nothing.
    assert figures("engine_stage_duration_seconds_sum", engine_stage_outcome="ok") == 5
    assert figures("engine_stage_duration_seconds_bucket", engine_stage_outcome="ok", le="1.0") == 1
    assert (runs(figures, "ok"), runs(figures, "error")) == (2, 1)
    assert figures("engine_stage_active", engine_stage_name="s") == 0
    assert exported().keys() == {"s"}
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_block_may_be_entered_by_hand(figures, measured, clock):
    """Whenever its methods were looked up, and by `ExitStack`: the latest run that was begun so ends first."""
    once = measured()
    assert hasattr(once, "__exit__")
    once.__enter__()
    clock(11)
    with ExitStack() as stack:
        stack.enter_context(once)
        leave = once.__exit__
        once.__enter__()
        assert figures("engine_stage_active", engine_stage_name="s") == 3
        clock(13)
        leave(None, None, None)
        with once:
            assert figures("engine_stage_active", engine_stage_name="s") == 3
        clock(15)
    assert figures("engine_stage_active", engine_stage_name="s") == 1
    assert figures("engine_stage_duration_seconds_sum", engine_stage_outcome="ok") == 2 + 4
    once.__exit__(KeyError, KeyError(), None)
    assert figures("engine_stage_duration_seconds_sum", engine_stage_outcome="error") == 5
    assert figures("engine_stage_active", engine_stage_name="s") == 0
    assert once.__exit__(None, None, None) is None  # of no run
    assert (runs(figures, "ok"), runs(figures, "error")) == (3, 1)


def test_a_subclass_may_have_methods_of_its_own(figures):
    """They call those of the stage."""
    left = []

    class Own(stage):
        def __enter__(self):
            return super().__enter__()

        def __exit__(self, *exception):
            left.append(exception[0])
            return super().__exit__(*exception)

    own = Own("s", engine="e", registry=figures.registry)
    with suppress(KeyError), own, own:
        assert figures("engine_stage_active", engine_stage_name="s") == 2
        raise KeyError
    assert left == [KeyError, KeyError]
    assert (runs(figures, "error"), figures("engine_stage_active", engine_stage_name="s")) == (2, 0)


def test_threads_lose_no_run(figures, measured):
    """Runs from four threads all count."""

    @measured()
    def nothing():
        pass

    threads = [threading.Thread(target=lambda: [nothing() for _ in range(2_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    joined(*threads)
    assert runs(figures, "ok") == 8_000
    assert figures("engine_stage_active", engine_stage_name="s") == 0


def test_methods_without_a_self_are_measured(figures, measured):
    """A static and a class method may be decorated after the fact."""

    class Engine:
        """Has both."""

        @measured()
        @staticmethod
        def double(x):
            return 2 * x

        @measured()
        @classmethod
        def name(cls):
            return cls.__name__

    assert (Engine.double(2), Engine().name()) == (4, "Engine")
    assert runs(figures, "ok") == 2


def test_a_generator_left_early_ends_the_block_in_it_well(figures, measured):
    """However the stage is written, its caller's having enough is no error."""

    def count():
        with measured():
            yield 1

    generator = count()
    next(generator)
    generator.close()
    assert (runs(figures, "ok"), runs(figures, "error")) == (1, 0)


def test_a_flood_of_stages_shares_one(figures):
    """Past the cap, stages are those of engine and stage `other`; those from before keep their own."""
    for number in range(SERIES_CAP + 3):
        with stage(f"stage {number}", registry=figures.registry) as measured:
            pass
        if number >= SERIES_CAP:
            assert measured._series is stage("another", registry=figures.registry)._series
    with stage("stage 0", registry=figures.registry):
        pass
    assert figures("engine_stage_duration_seconds_count", engine_stage_name="stage 0", engine_stage_outcome="ok") == 2
    assert len(figures.all("engine_stage_active", "engine_stage_name")) == SERIES_CAP
    assert len(figures.all("engine_stage_duration_seconds_count", "engine_stage_name")) == SERIES_CAP + 1
    assert figures("engine_stage_duration_seconds_count", engine_stage_name="other", engine_stage_outcome="ok") == 3


@pytest.mark.parametrize("wrong", [None, 7, "", b"bytes", len])
def test_a_name_of_the_wrong_type_is_refused(figures, wrong):
    """The message says what a stage wants, also where the parentheses were forgotten."""
    with pytest.raises(MetricError, match=r"as text|with the parentheses"):
        stage(wrong, registry=figures.registry)
    if not callable(wrong):
        with pytest.raises(MetricError, match="the engine of a stage"):
            stage("s", engine=wrong, registry=figures.registry)


class Misnamed(type):
    """A class that cannot say its name."""

    def __getattribute__(cls, name):
        if name == "__qualname__":
            raise RuntimeError("no name")
        return super().__getattribute__(name)


class HalfNamed(Exception):  # noqa: N818 - there is little in its name
    """An exception whose class has a name that UTF-8 cannot write."""


HalfNamed.__qualname__ = "half \udc80"


class Nameless(Exception, metaclass=Misnamed):  # noqa: N818 - likewise
    """An exception of such a class, which says it is of another."""

    @property
    def __class__(self):
        raise RuntimeError("no class")


@pytest.mark.parametrize(("kind", "name"), [
    (Nameless, "Nameless"),
    (HalfNamed, r"half \udc80"),
    (type("", (Exception,), {}), "_OTHER"),
])  # fmt: skip
def test_an_exception_of_any_class_passes_through(figures, measured, traced, kind, name):
    """Also of one whose name cannot be had, or cannot be written as UTF-8; it is counted under one that can."""
    exported = traced(ALWAYS_ON)
    error = kind("why")

    @measured()
    def fail():
        raise error

    def fail_in_block():
        with measured():
            raise error

    for failing in (fail, fail_in_block):
        try:
            failing()
        except BaseException as caught:
            assert caught is error  # noqa: PT017 - to match the exception would ask for its class
    assert figures("engine_stage_errors_total", error_type=name) == 2
    assert (runs(figures, "error"), figures("engine_stage_active", engine_stage_name="s")) == (2, 0)
    span = exported()["s"]
    assert span.attributes["error.type"].removeprefix(f"{__name__}.") == name
    assert span.attributes["error.type"] == span.events[0].attributes["exception.type"]
