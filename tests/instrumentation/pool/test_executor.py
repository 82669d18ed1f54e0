"""Thread pools as pools of workers."""

import gc
import os
import threading
import weakref
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.thread import BrokenThreadPool

import pytest
from opentelemetry import context as trace_context

from forking import in_child
from manometer import Binding, UnsupportedError, instrument_executor
from manometer.instrumentation.pool import tasks
from manometer.testing import Figures, ManualClock
from waiting import DEADLINE

WORKER = {"pool_name": "w", "pool_kind": "worker"}


@pytest.fixture
def executor(figures):
    """An instrumented executor of two threads."""
    with ThreadPoolExecutor(2) as made:
        yield instrument_executor(made, name="w", registry=figures.registry)


@pytest.fixture
def go():
    """Tasks may wait for it; it is set at the end, so that a test that fails ends too."""
    event = threading.Event()
    yield event
    event.set()


def test_running_and_queued_tasks_are_told(figures, executor, go):
    """Used workers run a task; what is queued is pending."""
    running = threading.Semaphore(0)

    def task():
        running.release()
        go.wait(DEADLINE)

    futures = [executor.submit(task) for _ in range(5)]
    for _ in range(2):
        assert running.acquire(timeout=DEADLINE)
    assert figures.all("pool_resources", "pool_resource_state") == {"used": 2, "idle": 0}
    assert figures("pool_pending_requests", **WORKER) == 3
    go.set()
    for future in futures:
        future.result(DEADLINE)
    assert figures("pool_resource_limit", **WORKER) == 2
    assert figures("pool_wait_duration_seconds_count", **WORKER) == 5
    assert figures("pool_use_duration_seconds_count", **WORKER) == 5
    assert sum(figures.all("pool_acquisitions_total", "pool_acquisition_source").values()) == 5


def test_results_and_errors_pass_through(executor):
    """`submit` and `map` give what the function gives."""
    assert list(executor.map(abs, [-1, -2])) == [1, 2]
    assert isinstance(executor.submit(int, "x").exception(), ValueError)
    assert executor.submit(int, "11", base=2).result(DEADLINE) == 3
    assert isinstance(executor.submit(abs, 1), Future)


def test_a_task_keeps_the_trace_of_its_submitter(executor):
    """What runs in a worker belongs to the trace that asked for it."""
    token = trace_context.attach(trace_context.set_value("key", "value"))
    try:
        assert executor.submit(trace_context.get_value, "key").result(DEADLINE) == "value"
    finally:
        trace_context.detach(token)
    assert executor.submit(trace_context.get_value, "key").result(DEADLINE) is None


def test_a_submission_after_the_end_is_a_refusal(figures):
    """The executor's own error passes through."""
    executor = instrument_executor(ThreadPoolExecutor(1), name="w", registry=figures.registry)
    executor.shutdown()
    with pytest.raises(RuntimeError):
        executor.submit(abs, 1)
    assert figures("pool_rejections_total", **WORKER) == 1


@pytest.fixture
def held(executor, go):
    """Both workers of the executor hold until this is set."""
    for _ in range(2):
        executor.submit(go.wait, DEADLINE)
    return go


def test_a_cancelled_task_waits_no_more_and_was_never_acquired(figures, executor, held):
    """Only what a worker took counts; a worker's first task is what it was made for."""
    queued = [executor.submit(abs, 1) for _ in range(4)]
    assert figures("pool_pending_requests", **WORKER) == 4
    assert all(each.cancel() for each in queued[1:])
    assert figures("pool_pending_requests", **WORKER) == 1
    held.set()
    queued[0].result(DEADLINE)
    executor.shutdown()
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 2, "reused": 1}
    assert figures("pool_wait_duration_seconds_count", **WORKER) == 3


@pytest.mark.parametrize("cancel", [False, True])
def test_nothing_waits_in_an_executor_that_is_shut_down(figures, executor, held, cancel):
    """Its workers leave a mark in the queue when they end, which is no task."""
    queued = [executor.submit(abs, 1) for _ in range(3)]
    executor.shutdown(wait=False, cancel_futures=cancel)
    assert figures("pool_pending_requests", **WORKER) == (0 if cancel else 3)
    held.set()
    executor.shutdown()
    assert figures("pool_pending_requests", **WORKER) == 0
    assert [each.cancelled() for each in queued] == [cancel] * 3


def test_cancelled_tasks_are_let_go_without_a_collection(figures, monkeypatch, go):
    """However many are cancelled behind a task that hangs."""
    monkeypatch.setattr(tasks, "_FORGET_AT", 10)
    made, submits = [], tasks.Tasks.submits
    monkeypatch.setattr(
        tasks.Tasks, "submits", lambda self, *args, **kw: made.append(self) or submits(self, *args, **kw)
    )
    with instrument_executor(ThreadPoolExecutor(1), name="w", registry=figures.registry) as executor:
        executor.submit(go.wait, DEADLINE)
        futures = [executor.submit(abs, 1) for _ in range(50) if executor.submit(abs, 1).cancel()]
        waiting = len(made[0].waiting)
        go.set()
    assert waiting < 100
    assert [future.result(DEADLINE) for future in futures] == [1] * 50


def test_a_task_holds_its_function_no_longer_than_before(executor):
    """Neither one that was run nor one that was cancelled; and an exception makes no circle."""

    class Job:
        def __call__(self):
            raise ConnectionError

    gc.disable()
    try:
        job = Job()
        gone = weakref.ref(job)
        future = executor.submit(job)
        assert isinstance(future.exception(), ConnectionError)
        executor.shutdown()
        ended = weakref.ref(future)
        del job, future
        assert gone() is None
        assert ended() is None
    finally:
        gc.enable()


class Counting(ThreadPoolExecutor):
    """Notes the name of each function that it is given."""

    def submit(self, fn, /, *args, **kwargs):
        self.names = [*getattr(self, "names", []), fn.__name__]
        return super().submit(fn, *args, **kwargs)


def test_a_subclass_sees_the_function_that_was_submitted(figures):
    """By its name, as before; `map` submits as well."""
    with instrument_executor(Counting(1), name="w", registry=figures.registry) as executor:
        executor.submit(abs, 1).result(DEADLINE)
        assert list(executor.map(len, ["a", "ab"])) == [1, 2]
        assert executor.names == ["abs", "len", "len"]
        assert figures("pool_use_duration_seconds_count", **WORKER) == 3


def test_waits_and_uses_last_as_long_as_they_do():
    """A wait begins with the submission, and a use where the wait ends."""
    clock = ManualClock(10.0)
    figures = Figures(clock=clock)

    class Slow(ThreadPoolExecutor):
        """Takes three seconds to queue a task."""

        def submit(self, fn, /, *args, **kwargs):
            clock.now = 13.0
            return super().submit(fn, *args, **kwargs)

    with instrument_executor(Slow(1), name="w", registry=figures.registry) as executor:
        executor.submit(clock.advance, 7.5).result(DEADLINE)
    assert figures("pool_wait_duration_seconds_sum", **WORKER) == 3.0
    assert figures("pool_use_duration_seconds_sum", **WORKER) == 7.5


class Inline(ThreadPoolExecutor):
    """Runs at once, and returns no future."""

    def submit(self, fn, /, *args, **kwargs):
        return fn(*args, **kwargs)


def test_a_subclass_may_return_what_it_likes(figures):
    """Its tasks are measured all the same."""
    executor = instrument_executor(Inline(1), name="w", registry=figures.registry)
    assert executor.submit(abs, -1) == 1
    assert figures("pool_use_duration_seconds_count", **WORKER) == 1
    assert figures("pool_pending_requests", **WORKER) == 0


def test_an_initializer_that_fails_refuses_what_comes_after(figures):
    """What was queued is not pending, and the next submission is a rejection."""

    def fail():
        raise ConnectionError

    executor = instrument_executor(ThreadPoolExecutor(1, initializer=fail), name="w", registry=figures.registry)
    with pytest.raises(BrokenThreadPool):
        executor.submit(abs, 1).result(DEADLINE)
    with pytest.raises(BrokenThreadPool):
        executor.submit(abs, 1)
    assert figures("pool_pending_requests", **WORKER) == 0
    assert figures("pool_rejections_total", **WORKER) == 1
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 0, "reused": 0}


def test_an_executor_has_no_time_outs(figures, executor):
    """A submission never waits, so there is no such series."""
    executor.submit(abs, 1).result(DEADLINE)
    assert figures("pool_timeouts_total") is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_tasks_that_wait_are_the_parents(figures, executor, held):
    """A forked child runs none of them."""
    executor.submit(abs, 1)

    def child():
        assert figures("pool_pending_requests", **WORKER) == 0

    in_child(child)
    assert figures("pool_pending_requests", **WORKER) == 1


def test_workers_of_a_closed_executor_are_gone(figures):
    """Threads that have ended are not idle."""
    executor = instrument_executor(ThreadPoolExecutor(2), name="w", registry=figures.registry)
    executor.submit(abs, 1).result(DEADLINE)
    executor.shutdown()
    assert figures.all("pool_resources", "pool_resource_state") == {"used": 0, "idle": 0}


def test_closing_gives_the_executor_back_as_it_was(executor):
    """No method of ours is left on it."""
    Binding.of(executor).close()
    assert type(executor) is ThreadPoolExecutor


def test_executors_of_another_kind_are_refused(figures):
    """Processes keep their figures to themselves."""
    with ProcessPoolExecutor(1) as processes, pytest.raises(UnsupportedError, match="elsewhere"):
        instrument_executor(processes, name="w", registry=figures.registry)
    with pytest.raises(
        UnsupportedError, match=r"builtins\.list; pass a concurrent\.futures\.ThreadPoolExecutor, or install"
    ):
        instrument_executor([], name="w", registry=figures.registry)
    interpreters = type("Pool", (ThreadPoolExecutor,), {"__module__": "concurrent.futures.interpreter"})
    with pytest.raises(UnsupportedError, match="elsewhere"):
        instrument_executor(interpreters(1), name="w", registry=figures.registry)
