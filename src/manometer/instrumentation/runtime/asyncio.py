"""asyncio: how late an event loop runs what is due, and how many tasks it has."""

import asyncio
from collections.abc import Iterable

from prometheus_client import CollectorRegistry

from manometer.catalogue import runtime as rows
from manometer.instrumentation.binding import Binding, Subject
from manometer.meters.catalogued import Pulled

__all__ = ["instrument"]

_INTERVAL = 0.1  # seconds between two looks at the loop's punctuality


def instrument(loop: asyncio.AbstractEventLoop, *, name: str, registry: CollectorRegistry) -> Binding:
    """Have a timer fall due on the loop every 100 ms, and observe how much later it runs."""
    binding = Subject.on(registry, "runtime").bind(loop, loop=name)
    observe = binding.histogram("asyncio.loop.lag").observe

    def watch() -> None:
        tick(loop.time())

    def tick(due: float) -> None:
        if binding.closed:
            return
        now = loop.time()
        observe(max(now - due, 0.0))
        loop.call_at(now + _INTERVAL, tick, now + _INTERVAL)

    binding.pulls(_read)
    loop.call_soon_threadsafe(watch)
    return binding


def _read(loop: asyncio.AbstractEventLoop) -> Iterable[Pulled]:
    if not loop.is_closed():
        yield rows.LOOP_TASKS, {}, len(asyncio.all_tasks(loop))
