"""Pools of reusable objects, of any library or of your own, that keep to a small interface."""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

from prometheus_client import CollectorRegistry

from manometer.catalogue import pool as rows
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.waits import Waits
from manometer.meters.catalogued import Pulled

__all__ = ["INTERFACE", "ObjectPool", "instrument"]

INTERFACE = "acquire(), release(), in_use, idle, limit and created"

_OUT_AT_MOST = 100_000  # objects whose time out of the pool is remembered


@runtime_checkable
class ObjectPool(Protocol):
    """What a pool of objects has to have.

    `acquire` raises TimeoutError where it waited in vain, and any other exception where it refuses.
    in_use, idle: objects out of the pool and in it; limit: how many there may be, None for no limit;
    created: objects made so far, a number that only grows.
    """

    in_use: int
    idle: int
    limit: int | None
    created: int

    def acquire(self) -> Any:
        """Take an object out."""

    def release(self, resource: Any, /) -> Any:
        """Put an object back."""


def instrument(pool: ObjectPool, *, name: str, registry: CollectorRegistry) -> None:
    """Time what is taken out and put back; read the rest off the pool."""
    with Subject.on(registry, "pool").binding(pool, pool=name, kind="object") as binding:
        waits = Waits(binding, timeouts=(TimeoutError,), refusals=(Exception,))
        used = binding.histogram("pool.use.duration").observe
        graft(pool, _methods(type(pool), waits, used))
        binding.undoes(ungraft)
        binding.pulls(lambda pool: _read(pool, waits))


def _methods(plain: Any, waits: Waits, used: Callable[[float], None]) -> dict[str, Callable[..., Any]]:
    out: dict[int, float] = {}  # when each object that is out was taken, by its id

    def acquire(self: Any, *args: Any, **kwargs: Any) -> Any:
        made, asked = _made(self), waits.asked()
        try:
            resource = plain.acquire(self, *args, **kwargs)
        except BaseException as error:
            waits.failed(asked, error)
            raise
        # Where another thread's request makes an object in the same moment, both count as created.
        now = waits.answered(asked, created=_made(self) != made)
        if len(out) < _OUT_AT_MOST:
            out[id(resource)] = now
        return resource

    def release(self: Any, resource: Any, /, *args: Any, **kwargs: Any) -> Any:
        taken, now = out.pop(id(resource), None), perf_counter()
        result = plain.release(self, resource, *args, **kwargs)
        if taken is not None:
            used(now - taken)
        return result

    return {"acquire": acquire, "release": release}


def _made(pool: ObjectPool) -> int | None:
    """How many objects the pool has made; None where it cannot say, which is no reason to fail its caller."""
    try:
        return pool.created
    except Exception:
        return None


def _read(pool: ObjectPool, waits: Waits) -> Iterable[Pulled]:
    yield rows.RESOURCES, {"state": "used"}, pool.in_use
    yield rows.RESOURCES, {"state": "idle"}, pool.idle
    yield rows.PENDING_REQUESTS, {}, waits.pending
    if pool.limit is not None:
        yield rows.RESOURCES_LIMIT, {}, pool.limit
