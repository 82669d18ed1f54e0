"""The age of the oldest run of a stage that is under way."""

import threading
from types import coroutine

import pytest

from manometer import stage
from manometer.instrumentation.clock import measure_by
from manometer.testing.clock import ManualClock
from manometer.tracing.sampling import Sampling
from waiting import DEADLINE, joined

AGE = "engine_stage_oldest_run_age_seconds"


@coroutine
def switch():
    """Give control to whoever drives the coroutine."""
    yield


@pytest.fixture
def clock(figures):
    """That of the stages, which stands still."""
    clock = ManualClock()
    measure_by(figures.registry, clock)
    return clock


@pytest.fixture
def measured(figures, clock):
    """The stage."""
    return stage("s", registry=figures.registry)


def test_without_a_run_it_is_0(figures, measured):
    """Before the first and after the last."""
    assert figures(AGE, engine_stage_name="s") == 0
    with measured:
        pass
    assert figures(AGE) == 0


def test_it_is_that_of_the_run_that_began_first(figures, measured, clock):
    """Among blocks, whichever ends first."""
    other = stage("s", registry=figures.registry)
    with measured:
        clock.advance(2)
        with other:
            clock.advance(3)
            assert figures(AGE) == 5
        assert figures(AGE) == 5
    assert figures(AGE) == 0


@pytest.mark.parametrize("sampling", [None, Sampling(0.0, left_a_second=1), Sampling(1e-18), Sampling(1.0)])
def test_calls_of_functions_tell_it_from_any_thread(figures, measured, clock, recorded, sampling):
    """Recorded or not; what is called within is no older."""
    if sampling is not None:
        recorded(sampling)
    begun, go_on = threading.Event(), threading.Event()

    @measured
    def inner():
        begun.set()
        assert go_on.wait(DEADLINE)

    @measured
    def run(calls):
        if calls:
            run(calls - 1)
        else:
            clock.advance(4)
            inner()

    run_before = stage("before", registry=figures.registry)(lambda: None)
    run_before()
    thread = threading.Thread(target=run, args=(2,))
    thread.start()
    assert begun.wait(DEADLINE)
    clock.advance(3)
    assert figures(AGE, engine_stage_name="s") == 7
    assert figures(AGE, engine_stage_name="before") == 0
    go_on.set()
    joined(thread)
    assert figures(AGE, engine_stage_name="s") == 0


def test_what_is_suspended_tells_it_too(figures, measured, clock):
    """Coroutines and generators, which are on no thread's stack."""

    @measured
    async def work():
        await switch()

    @measured
    def values():
        yield 1

    @measured
    async def later_values():
        yield 1

    running = work()
    running.send(None)
    clock.advance(1)
    generator = values()
    next(generator)
    clock.advance(1)
    later = later_values().__anext__
    with pytest.raises(StopIteration):
        later().send(None)
    assert figures(AGE) == 2
    with pytest.raises(StopIteration):
        running.send(None)
    assert figures(AGE) == 1
    generator.close()
    assert figures(AGE) == 0


@pytest.mark.parametrize("form", ["function", "block", "coroutine"])
def test_a_run_that_failed_is_over(figures, measured, clock, form):
    """Though its exception is kept, and with it all that it ran in."""

    def fail():
        raise KeyError

    @measured
    async def work():
        fail()

    def block():
        with measured:
            fail()

    run = {"function": measured(fail), "block": block, "coroutine": lambda: work().send(None)}[form]
    with pytest.raises(KeyError) as kept:
        run()
    clock.advance(1)
    assert figures(AGE) == 0
    assert figures("engine_stage_active") == 0
    assert kept.value.__traceback__ is not None
