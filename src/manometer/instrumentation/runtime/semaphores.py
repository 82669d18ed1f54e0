"""asyncio's semaphores and locks: how many permits are held, which tasks wait for one, and for how long."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry

from manometer.catalogue import runtime as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.stays import Stays
from manometer.instrumentation.subject import Subject
from manometer.meters.write_buffer import InFlight
from manometer.registry.catalogued import Pulled

__all__ = ["instrument"]

T = TypeVar("T")


def instrument(semaphore: T, *, name: str, registry: CollectorRegistry) -> T:
    """Time each wait for a permit and each hold; read at each collection how many are held."""
    if not isinstance(semaphore, asyncio.Semaphore | asyncio.Lock):
        raise UnsupportedError(f"{semaphore!r} is not measured; pass an asyncio.Semaphore or an asyncio.Lock")
    limit, waiting = _limit(semaphore), InFlight()

    def read(semaphore: Any) -> Iterable[Pulled]:
        yield rows.SEMAPHORE_PERMITS, {}, _held(semaphore, limit)
        yield rows.SEMAPHORE_LIMIT, {}, limit
        yield rows.SEMAPHORE_WAITERS, {}, waiting.value

    with Subject.on(registry, "runtime").binding(semaphore, {"asyncio.semaphore.name": name}) as binding:
        _time(semaphore, binding, waiting)
        binding.undoes(ungraft)
        binding.pulls(read)
    return semaphore


def _time(semaphore: Any, binding: Binding, waiting: InFlight) -> None:
    clock, holds = binding.clock, Stays(binding.clock)
    waited = binding.histogram(rows.SEMAPHORE_WAIT).observe
    held = binding.histogram(rows.SEMAPHORE_HOLD).observe
    take, give_back = type(semaphore).acquire, type(semaphore).release

    async def acquire(semaphore: Any) -> Any:
        try:
            waiting.began()
            asked = clock()
            try:
                result = await take(semaphore)
            finally:
                now = clock()
                waited(now - asked)
        finally:
            waiting.ended()
        holds.began(id(asyncio.current_task()), None, now)
        return result

    def release(semaphore: Any) -> Any:
        result = give_back(semaphore)  # it raises where there is nothing to give back
        with suppress(RuntimeError):  # there is no loop that runs here
            seconds = holds.ended(id(asyncio.current_task()))
            if seconds is not None:
                held(seconds)
        return result

    graft(semaphore, {"acquire": acquire, "release": release})


def _limit(semaphore: Any) -> int:
    """A bounded semaphore knows it. Another one has what is free; its permits are taken later."""
    if isinstance(semaphore, asyncio.Lock):
        return 1
    return int(getattr(semaphore, "_bound_value", semaphore._value))


def _held(semaphore: Any, limit: int) -> int:
    if isinstance(semaphore, asyncio.Lock):
        return int(semaphore.locked())
    return max(limit - int(semaphore._value), 0)
