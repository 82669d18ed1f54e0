"""asyncio: how late an event loop runs what is due, what holds it up, its tasks, and exceptions nobody handled."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry

from manometer.catalogue import runtime as rows
from manometer.errors import BindingError, UnsupportedError
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.runtime.stalls import Heartbeat, Watch
from manometer.instrumentation.runtime.unhandled import type_of
from manometer.instrumentation.subject import Subject
from manometer.registry.catalogued import Pulled

__all__ = ["instrument"]

_UNNAMED = "main"  # the loop that the program gives no name
_TOLD = 20  # functions that hold the loop up, and are named in the log, once each

_log = logging.getLogger("manometer")


def instrument(loop: asyncio.AbstractEventLoop, *, name: str | None, registry: CollectorRegistry) -> Binding:
    """Have a timer fall due on the loop every 100 ms, observe how much later it runs, and find what holds it up."""
    if not isinstance(loop, asyncio.AbstractEventLoop):
        raise UnsupportedError(f"{loop!r} is no event loop; pass what asyncio.get_running_loop() returns")
    subject = Subject.on(registry, "runtime")
    identity = {"asyncio.loop.name": _UNNAMED if name is None else name}
    holder = subject.bound(identity) if name is None else None
    held: Any = None if holder is None else holder.target  # looked up once, for the other loop may die at any time
    if held is not None and held is not loop and not held.is_closed():
        raise BindingError(f"another event loop is bound as {_UNNAMED!r}; give this one a name, or close its Binding")
    with subject.binding(loop, identity) as binding:
        observe = binding.histogram(rows.LOOP_LAG).observe
        heartbeat = Heartbeat()

        def watch() -> None:
            due = loop.time() + rows.LOOP_LAG_EVERY
            heartbeat.beat(due)
            loop.call_at(due, tick, due)

        def tick(due: float) -> None:
            if not binding.closed:
                observe(max(loop.time() - due, 0.0))
                watch()

        binding.pulls(_read)
        _find_stalls(loop, binding, heartbeat)
        _count_unhandled(loop, binding)
        loop.call_soon_threadsafe(watch)
    return binding


def _read(loop: asyncio.AbstractEventLoop) -> Iterable[Pulled]:
    if not loop.is_closed():
        tasks = asyncio.all_tasks(loop)
        waiting = sum(getattr(task, "_fut_waiter", None) is not None for task in tasks)
        yield rows.LOOP_TASKS, {"asyncio.task.state": "ready"}, len(tasks) - waiting
        yield rows.LOOP_TASKS, {"asyncio.task.state": "waiting"}, waiting


def _find_stalls(loop: asyncio.AbstractEventLoop, binding: Binding, heartbeat: Heartbeat) -> None:
    told: set[str] = set()

    def found(function: str) -> None:
        with suppress(BindingError):  # it was closed meanwhile
            binding.counter(rows.SLOW_CALLBACKS, {"code.function.name": function}).inc()
        if function not in told and len(told) < _TOLD:
            told.add(function)
            _log.warning("%s holds an event loop up for over %s s", function, rows.SLOW_CALLBACK_SECONDS)

    watch = Watch(loop, heartbeat, found, rows.SLOW_CALLBACK_SECONDS)
    try:
        watch.start()
    except RuntimeError as error:
        _log.warning("what holds an event loop up is not looked for: %s", error)
    binding.undoes(lambda _: watch.stop())


def _count_unhandled(loop: asyncio.AbstractEventLoop, binding: Binding) -> None:
    """Count what the loop's exception handler is told, and then do what was done before."""
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> object:
        with suppress(Exception):  # the Binding is closed, and someone else's handler calls this one
            error = {"error.type": type_of(context.get("exception"))}
            binding.counter(rows.LOOP_UNHANDLED_EXCEPTIONS, error).inc()
        return loop.default_exception_handler(context) if before is None else before(loop, context)

    def give_back(loop: asyncio.AbstractEventLoop) -> None:
        if loop.get_exception_handler() is handle:
            loop.set_exception_handler(before)

    loop.set_exception_handler(handle)
    binding.undoes(give_back)
