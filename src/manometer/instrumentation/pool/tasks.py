"""The tasks of one pool of workers: which wait, how many run, and what each waits and takes."""

import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import update_wrapper
from typing import Any

from opentelemetry import context as trace_context

from manometer.catalogue import pool as rows
from manometer.instrumentation.binding import Binding
from manometer.meters.fork import Forked, renewed_in_child
from manometer.meters.write_buffer import InFlight

__all__ = ["Tasks"]

_FORGET_AT = 1000  # waiting tasks among which the cancelled ones are first looked for


class _Ticket:
    """Stands for a task until a worker takes it, and holds nothing of the task's."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: Callable[[], Any] = _yet_to_come


class Tasks:
    """Counts and times the tasks that are submitted to one executor.

    waits: whether the task of a future, or of what else `submit` returns, is still to be run; rejections: the
    exceptions by which `submit` turns a task away.
    """

    def __init__(
        self, binding: Binding, waits: Callable[[Any], bool], rejections: tuple[type[BaseException], ...]
    ) -> None:
        self._waits, self._rejections, self._clock = waits, rejections, binding.clock
        self._running = InFlight()
        self._waited = binding.histogram(rows.WAIT_DURATION).observe
        self._ran = binding.histogram(rows.USE_DURATION).observe
        self._reused = binding.counter(rows.ACQUISITIONS, {"pool.acquisition.source": "reused"}).tick
        self._created = binding.counter(rows.ACQUISITIONS, {"pool.acquisition.source": "created"}).tick
        self._thread = threading.local()
        self._forget_at = _FORGET_AT
        self._rejected = binding.counter(rows.REJECTIONS).tick if rejections else _nothing
        # The executor's own queue may keep cancelled tasks, and a sentinel once it is shut down.
        self.waiting: set[_Ticket] = set()
        renewed_in_child(self)

    @property
    def running(self) -> int:
        """Tasks that a worker is at."""
        return self._running.value

    @property
    def pending(self) -> int:
        """Tasks that wait for a worker; those that are cancelled do not."""
        waiting = tuple(self.waiting)
        gone = [ticket for ticket in waiting if not self._is_waiting(ticket)]
        self.waiting.difference_update(gone)
        return len(waiting) - len(gone)

    def renew(self, _: Forked) -> None:
        """The parent process runs what waits."""
        self.waiting.clear()

    def submits(self, submit: Callable[..., Any], *, disguised: bool = False) -> Callable[..., Any]:
        """`submit`, the executor's method that takes a function and its arguments, with each call a task.

        disguised: the method looks at the function that it is given, such as at its name.
        """

        def measured_submit(executor: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            ticket = _Ticket()
            self.waiting.add(ticket)
            try:
                task = self._measured(fn, ticket)
                future = submit(executor, update_wrapper(task, fn) if disguised else task, *args, **kwargs)
            except BaseException as error:
                self.waiting.discard(ticket)
                if isinstance(error, self._rejections):
                    self._rejected()
                raise
            with suppress(TypeError):  # it may return what takes no weak reference
                ticket.future = weakref.ref(future)
            if len(self.waiting) > self._forget_at:  # the memory is bounded without a collection
                self._forget_at = max(_FORGET_AT, 2 * self.pending)
            return future

        measured_submit.__name__ = submit.__name__
        return measured_submit

    def _measured(self, fn: Callable[..., Any], ticket: _Ticket) -> Callable[..., Any]:
        """`fn`, timed, and run in the trace of its submitter."""
        clock = self._clock
        submitted = clock()
        trace = trace_context.get_current()

        def task(*args: Any, **kwargs: Any) -> Any:
            began = clock()
            self.waiting.discard(ticket)
            self._running.began()
            self._waited(began - submitted)
            self._acquired()
            token = trace_context.attach(trace)
            try:
                return fn(*args, **kwargs)
            finally:
                trace_context.detach(token)
                self._ran(clock() - began)
                self._running.ended()

        return task

    def _is_waiting(self, ticket: _Ticket) -> bool:
        future = ticket.future()
        return future is _SUBMITTING or (future is not None and self._waits(future))

    def _acquired(self) -> None:
        """A worker took a task; its first one is what it was created for."""
        known = getattr(self._thread, "known", False)
        self._thread.known = True
        (self._reused if known else self._created)()


_SUBMITTING = object()


def _yet_to_come() -> object:
    return _SUBMITTING


def _nothing() -> None:
    """Counts what never happens."""
