"""concurrent.futures: the workers of a thread pool, and how long tasks wait for one."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from opentelemetry import context as trace_context
from prometheus_client import CollectorRegistry

from manometer.catalogue import pool as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding, Subject
from manometer.instrumentation.graft import graft, ungraft
from manometer.meters.catalogued import Pulled
from manometer.meters.pending import InFlight

__all__ = ["instrument"]


def instrument(executor: Any, *, name: str, registry: CollectorRegistry) -> None:
    """Time each task's wait and run; read threads and queue off the executor."""
    if not isinstance(executor, ThreadPoolExecutor):
        raise UnsupportedError(f"{executor!r} runs its tasks elsewhere; pass a concurrent.futures.ThreadPoolExecutor")
    binding = Subject.on(registry, "pool").bind(executor, pool=name, kind="worker")
    tasks = _Tasks(binding)
    plain: Any = type(executor)

    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        threads = len(self._threads)
        try:
            future = plain.submit(self, tasks.measured(fn), *args, **kwargs)
        except RuntimeError:  # the executor is shut down
            tasks.rejected()
            raise
        # The submission that finds no idle thread starts one before it returns.
        (tasks.created if len(self._threads) > threads else tasks.reused)()
        return future

    graft(executor, {"submit": submit})
    binding.pulls(tasks.read)
    binding.undoes(ungraft)


class _Tasks:
    """The tasks of one executor: how many run, and what each waits and takes."""

    def __init__(self, binding: Binding) -> None:
        self._running = InFlight()
        self._waited = binding.histogram("pool.wait.duration").observe
        self._ran = binding.histogram("pool.use.duration").observe
        self.reused = binding.counter("pool.acquisitions", source="reused").tick
        self.created = binding.counter("pool.acquisitions", source="created").tick
        self.rejected = binding.counter("pool.rejections").tick

    def measured(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """`fn`, timed, and run in the trace of its submitter."""
        submitted = perf_counter()
        trace = trace_context.get_current()

        def task(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            self._running.began()
            self._waited(began - submitted)
            token = trace_context.attach(trace)
            try:
                return fn(*args, **kwargs)
            finally:
                trace_context.detach(token)
                self._ran(perf_counter() - began)
                self._running.ended()

        return task

    def read(self, executor: Any) -> Iterable[Pulled]:
        used = self._running.value
        yield rows.RESOURCES, {"state": "used"}, used
        yield rows.RESOURCES, {"state": "idle"}, max(len(executor._threads) - used, 0)
        yield rows.RESOURCES_LIMIT, {}, executor._max_workers
        yield rows.PENDING_REQUESTS, {}, executor._work_queue.qsize()
