"""Thread pools as pools of workers."""

import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from opentelemetry import context as trace_context

from manometer import Binding, UnsupportedError, instrument_executor
from waiting import DEADLINE

WORKER = {"pool": "w", "kind": "worker"}


@pytest.fixture
def executor(figures):
    """An instrumented executor of two threads."""
    with ThreadPoolExecutor(2) as made:
        yield instrument_executor(made, name="w", registry=figures.registry)


def test_running_and_queued_tasks_are_told(figures, executor):
    """Used workers run a task; what is queued is pending."""
    go, running = threading.Event(), threading.Semaphore(0)

    def task():
        running.release()
        go.wait(DEADLINE)

    futures = [executor.submit(task) for _ in range(5)]
    for _ in range(2):
        assert running.acquire(timeout=DEADLINE)
    assert figures.all("pool_resources", "state") == {"used": 2, "idle": 0}
    assert figures("pool_pending_requests", **WORKER) == 3
    go.set()
    for future in futures:
        future.result(DEADLINE)
    assert figures("pool_resources_limit", **WORKER) == 2
    assert figures("pool_wait_duration_seconds_count", **WORKER) == 5
    assert figures("pool_use_duration_seconds_count", **WORKER) == 5
    assert sum(figures.all("pool_acquisitions_total", "source").values()) == 5


def test_results_and_errors_pass_through(executor):
    """`submit` and `map` give what the function gives."""
    assert list(executor.map(abs, [-1, -2])) == [1, 2]
    assert isinstance(executor.submit(int, "x").exception(), ValueError)
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


def test_a_cancelled_task_was_never_acquired(figures, executor):
    """Only what a worker took counts; a worker's first task is what it was made for."""
    go = threading.Event()
    running = [executor.submit(go.wait) for _ in range(2)]
    assert all(executor.submit(abs, 1).cancel() for _ in range(3))
    go.set()
    for future in running:
        future.result(DEADLINE)
    assert figures.all("pool_acquisitions_total", "source") == {"created": 2, "reused": 0}


def test_workers_of_a_closed_executor_are_gone(figures):
    """Threads that have ended are not idle."""
    executor = instrument_executor(ThreadPoolExecutor(2), name="w", registry=figures.registry)
    executor.submit(abs, 1).result(DEADLINE)
    executor.shutdown()
    assert figures.all("pool_resources", "state") == {"used": 0, "idle": 0}


def test_closing_gives_the_executor_back_as_it_was(executor):
    """No method of ours is left on it."""
    Binding.of(executor).close()
    assert type(executor) is ThreadPoolExecutor


def test_executors_of_another_kind_are_refused(figures):
    """Processes keep their figures to themselves."""
    with ProcessPoolExecutor(1) as processes, pytest.raises(UnsupportedError, match="ThreadPoolExecutor"):
        instrument_executor(processes, name="w", registry=figures.registry)
    with pytest.raises(UnsupportedError, match="ThreadPoolExecutor"):
        instrument_executor([], name="w", registry=figures.registry)
