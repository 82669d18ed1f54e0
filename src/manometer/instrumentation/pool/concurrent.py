"""concurrent.futures: the workers of a thread pool, and how long tasks wait for one."""

import threading
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
    with Subject.on(registry, "pool").binding(executor, pool=name, kind="worker") as binding:
        tasks = _Tasks(binding)
        graft(executor, {"submit": _submit(type(executor), tasks)})
        binding.pulls(tasks.read)
        binding.undoes(ungraft)


def _submit(plain: Any, tasks: "_Tasks") -> Callable[..., Any]:
    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        try:
            return plain.submit(self, tasks.measured(fn), *args, **kwargs)
        except RuntimeError:  # the executor is shut down
            tasks.rejected()
            raise

    return submit


class _Tasks:
    """The tasks of one executor: how many run, and what each waits and takes."""

    def __init__(self, binding: Binding) -> None:
        self._running = InFlight()
        self._waited = binding.histogram("pool.wait.duration").observe
        self._ran = binding.histogram("pool.use.duration").observe
        self._reused = binding.counter("pool.acquisitions", source="reused").tick
        self._created = binding.counter("pool.acquisitions", source="created").tick
        self._thread = threading.local()
        self.rejected = binding.counter("pool.rejections").tick

    def measured(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """`fn`, timed, and run in the trace of its submitter."""
        submitted = perf_counter()
        trace = trace_context.get_current()

        def task(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            self._running.began()
            self._waited(began - submitted)
            self._acquired()
            token = trace_context.attach(trace)
            try:
                return fn(*args, **kwargs)
            finally:
                trace_context.detach(token)
                self._ran(perf_counter() - began)
                self._running.ended()

        return task

    def _acquired(self) -> None:
        """A worker took a task; its first one is what it was created for."""
        known = getattr(self._thread, "known", False)
        self._thread.known = True
        (self._reused if known else self._created)()

    def read(self, executor: Any) -> Iterable[Pulled]:
        used = self._running.value
        yield rows.RESOURCES, {"state": "used"}, used
        threads = sum(thread.is_alive() for thread in tuple(executor._threads))
        yield rows.RESOURCES, {"state": "idle"}, max(threads - used, 0)
        yield rows.RESOURCES_LIMIT, {}, executor._max_workers
        yield rows.PENDING_REQUESTS, {}, executor._work_queue.qsize()
