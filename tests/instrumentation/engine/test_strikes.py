"""Signal handlers that raise amid a stage: the run is over, whatever was under way."""

import contextlib
import random
import signal
import time

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBasedTraceIdRatio

from manometer import stage
from waiting import DEADLINE

STRIKES = 600  # that a form of stage must have met


class Strike(BaseException):
    """What the handler raises: no `except Exception` takes it."""


def block(registry):
    """A run of a block."""

    def run():
        with stage("s", registry=registry):
            pass

    return run


def failing_block(registry):
    """A run of a block that raises."""

    def run():
        try:
            with stage("s", registry=registry):
                raise KeyError
        except KeyError:
            pass

    return run


def kept_block(registry):
    """A run of a block whose stage is kept, and is entered again and again."""
    kept = stage("s", registry=registry)

    def run():
        with kept:
            pass

    return run


def nested_kept_blocks(registry):
    """A run of a block within a run of the same stage, one of which fails."""
    kept = stage("s", registry=registry)

    def run():
        with kept, contextlib.suppress(KeyError), kept:
            raise KeyError

    return run


def function(registry):
    """A run of a function."""

    @stage("s", registry=registry)
    def run():
        pass

    return run


def coroutine(registry):
    """A run of a coroutine."""

    @stage("s", registry=registry)
    async def work():
        pass

    def run():
        running = work()
        with contextlib.suppress(StopIteration):
            running.send(None)

    return run


def generator(registry):
    """A run of a generator."""

    @stage("s", registry=registry)
    def values():
        yield 1
        yield 2

    def run():
        for _ in values():
            pass

    return run


def asynchronous_generator(registry):
    """A run of an asynchronous generator."""

    @stage("s", registry=registry)
    async def values():
        yield 1
        yield 2

    async def work():
        async for _ in values():
            pass

    def run():
        running = work()
        with contextlib.suppress(StopIteration):
            running.send(None)

    return run


# Where the exception strikes a finalizer or a gc callback, the interpreter says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("sampler", [None, ALWAYS_ON, ParentBasedTraceIdRatio(1e-18)])
@pytest.mark.parametrize("form", [
    block,
    failing_block,
    kept_block,
    nested_kept_blocks,
    function,
    coroutine,
    generator,
    asynchronous_generator,
])  # fmt: skip
def test_a_signal_handler_that_raises_leaves_no_run_and_no_span(figures, traced, caplog, form, sampler):
    """Wherever it strikes, nothing is in flight afterwards, and no span is current."""
    if sampler is not None:
        traced(sampler)
    run = form(figures.registry)
    run()
    struck, is_armed = 0, False

    def strike(*_):
        if is_armed:
            raise Strike

    runs = stage("s", registry=figures.registry)._series.runs
    deadline = time.monotonic() + DEADLINE
    previous = signal.signal(signal.SIGALRM, strike)
    try:
        while struck < STRIKES and time.monotonic() < deadline:
            try:
                is_armed = True
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 60e-6))
                for _ in range(20):
                    run()
                is_armed = False
            except Strike:
                is_armed = False
                struck += 1
            assert runs.value == 0, f"after {struck} strikes"
            assert trace.get_current_span() is trace.INVALID_SPAN, f"after {struck} strikes"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert struck == STRIKES
    assert not caplog.records  # a strike amid logging would leave a lock of the handler's held
    assert figures("engine_stage_active", engine_stage_name="s") == 0
