"""concurrent.futures: the workers of a thread pool, and how long tasks wait for one."""

import functools
import threading
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import perf_counter
from typing import Any

from opentelemetry import context as trace_context
from prometheus_client import CollectorRegistry

from manometer.catalogue import pool as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding, Subject
from manometer.instrumentation.graft import graft, ungraft
from manometer.meters.fork import Forked, renewed_in_child
from manometer.meters.write_buffer import InFlight
from manometer.registry.catalogued import Pulled

__all__ = ["instrument"]

_FORGET_AT = 1000  # waiting tasks among which the cancelled ones are first looked for

_INTERPRETERS = "concurrent.futures.interpreter"  # its executor sends what it runs to another interpreter


def instrument(executor: Any, *, name: str, registry: CollectorRegistry) -> None:
    """Time each task's wait and run; read the threads off the executor, and what waits off its futures."""
    elsewhere = any(base.__module__ == _INTERPRETERS for base in type(executor).__mro__)
    if elsewhere or not isinstance(executor, ThreadPoolExecutor):
        raise UnsupportedError(f"{executor!r} runs its tasks elsewhere; pass a concurrent.futures.ThreadPoolExecutor")
    identity = {"pool.name": name, "pool.kind": "worker"}
    with Subject.on(registry, "pool").binding(executor, identity) as binding:
        tasks = _Tasks(binding)
        graft(executor, {"submit": _submit(type(executor), tasks)})
        binding.pulls(tasks.read)
        binding.undoes(ungraft)


def _submit(plain: Any, tasks: "_Tasks") -> Callable[..., Any]:
    # A subclass may look at the function that it is given, such as at its name.
    disguise: Any = _as_it_is if plain.submit is ThreadPoolExecutor.submit else functools.update_wrapper

    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        ticket = _Ticket()
        tasks.waiting.add(ticket)
        try:
            future = plain.submit(self, disguise(tasks.measured(fn, ticket), fn), *args, **kwargs)
        except BaseException as error:
            tasks.waiting.discard(ticket)
            if isinstance(error, RuntimeError):  # the executor is shut down
                tasks.rejected()
            raise
        with suppress(TypeError):  # a subclass may return something else
            ticket.future = weakref.ref(future)
        tasks.forget()
        return future

    return submit


def _as_it_is(task: Callable[..., Any], _fn: Callable[..., Any]) -> Callable[..., Any]:
    return task


class _Ticket:
    """Stands for a task until a worker takes it, and holds nothing of the task's."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: Callable[[], Any] | None = None

    @property
    def waits(self) -> bool:
        """Whether the task is still to be run: it is neither cancelled nor dropped."""
        if self.future is None:  # it is being submitted
            return True
        # The attribute is read as `future.done()` reads it, but without the future's lock.
        return getattr(self.future(), "_state", None) == "PENDING"


class _Tasks:
    """The tasks of one executor: which wait, how many run, and what each waits and takes."""

    def __init__(self, binding: Binding) -> None:
        self._running = InFlight()
        self._waited = binding.histogram(rows.WAIT_DURATION).observe
        self._ran = binding.histogram(rows.USE_DURATION).observe
        self._reused = binding.counter(rows.ACQUISITIONS, {"pool.acquisition.source": "reused"}).tick
        self._created = binding.counter(rows.ACQUISITIONS, {"pool.acquisition.source": "created"}).tick
        self._thread = threading.local()
        self._forget_at = _FORGET_AT
        self.rejected = binding.counter(rows.REJECTIONS).tick
        # The executor's own queue keeps cancelled tasks, and a sentinel once it is shut down.
        self.waiting: set[_Ticket] = set()
        renewed_in_child(self)

    def renew(self, _: Forked) -> None:
        """The parent process runs what waits."""
        self.waiting.clear()

    def measured(self, fn: Callable[..., Any], ticket: _Ticket) -> Callable[..., Any]:
        """`fn`, timed, and run in the trace of its submitter."""
        submitted = perf_counter()
        trace = trace_context.get_current()

        def task(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            self.waiting.discard(ticket)
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

    def forget(self) -> None:
        """Let go of the cancelled tasks once there are many: the memory is bounded without a collection."""
        if len(self.waiting) > self._forget_at:
            self._forget_at = max(_FORGET_AT, 2 * self._pending())

    def _pending(self) -> int:
        waiting = tuple(self.waiting)
        gone = [ticket for ticket in waiting if not ticket.waits]
        self.waiting.difference_update(gone)
        return len(waiting) - len(gone)

    def _acquired(self) -> None:
        """A worker took a task; its first one is what it was created for."""
        known = getattr(self._thread, "known", False)
        self._thread.known = True
        (self._reused if known else self._created)()

    def read(self, executor: Any) -> Iterable[Pulled]:
        used = self._running.value
        yield rows.RESOURCES, {"pool.resource.state": "used"}, used
        threads = sum(thread.is_alive() for thread in tuple(executor._threads))
        yield rows.RESOURCES, {"pool.resource.state": "idle"}, max(threads - used, 0)
        yield rows.RESOURCE_LIMIT, {}, executor._max_workers
        yield rows.PENDING_REQUESTS, {}, self._pending()
