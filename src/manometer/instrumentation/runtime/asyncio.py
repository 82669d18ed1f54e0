"""asyncio: how late an event loop runs what is due, and how many tasks it has."""

import asyncio
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry

from manometer.catalogue import runtime as rows
from manometer.errors import BindingError, UnsupportedError
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.subject import Subject
from manometer.registry.catalogued import Pulled

__all__ = ["instrument"]

_UNNAMED = "main"  # the loop that the program gives no name


def instrument(loop: asyncio.AbstractEventLoop, *, name: str | None, registry: CollectorRegistry) -> Binding:
    """Have a timer fall due on the loop every 100 ms, and observe how much later it runs."""
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

        def watch() -> None:
            due = loop.time() + rows.LOOP_LAG_EVERY
            loop.call_at(due, tick, due)

        def tick(due: float) -> None:
            if not binding.closed:
                observe(max(loop.time() - due, 0.0))
                watch()

        binding.pulls(_read)
        loop.call_soon_threadsafe(watch)
    return binding


def _read(loop: asyncio.AbstractEventLoop) -> Iterable[Pulled]:
    if not loop.is_closed():
        yield rows.LOOP_TASKS, {}, len(asyncio.all_tasks(loop))
