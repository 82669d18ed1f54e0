"""Instrumentation of queues within a process."""

from typing import TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.instrumentation.adapters import adapter_of
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.subject import Subject

__all__ = ["instrument_queue"]

T = TypeVar("T")

# The name of a class's top-level package. `queue.SimpleQueue` is of `_queue`, where it is compiled.
_OURS = {
    "_queue": "manometer.instrumentation.queue.queue",
    "asyncio": "manometer.instrumentation.queue.asyncio",
    "queue": "manometer.instrumentation.queue.queue",
}


def instrument_queue(queue: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Measure a queue: of `queue` or of `asyncio`, of any order.

    Use what comes back: it is the same object or, of a `queue.SimpleQueue`, a drop-in of it.
    Raises UnsupportedError for another kind of queue, BindingError for a queue bound already.
    """
    measure = adapter_of(queue, "queue", _OURS, "a queue of queue or asyncio")
    instrumented: T = measure(queue, Bind(Subject.on(registry, "queue"), {"queue.name": name}))
    return instrumented
