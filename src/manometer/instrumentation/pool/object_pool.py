"""Pools of reusable objects, of any library or of your own, that keep to a small interface."""

from collections.abc import Iterable
from inspect import getattr_static, iscoroutinefunction
from operator import attrgetter
from typing import Any, Protocol, TypeGuard

from prometheus_client import CollectorRegistry

from manometer.catalogue import pool as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.lending import Lending
from manometer.meters.catalogued import Pulled

__all__ = ["INTERFACE", "ObjectPool", "instrument", "is_object_pool"]

INTERFACE = "acquire(), release(), in_use, idle, limit and created"


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


def is_object_pool(pool: object) -> TypeGuard[ObjectPool]:
    """Whether the object has the whole interface, by its class or by its `__getattr__`."""
    # `isinstance` with a Protocol asks no `__getattr__` since Python 3.12.
    return all(hasattr(pool, name) for name in ("acquire", "release", "in_use", "idle", "limit", "created"))


def instrument(pool: ObjectPool, *, name: str, registry: CollectorRegistry) -> None:
    """Time what is taken out and put back; read the rest off the pool.

    Raises UnsupportedError where `acquire` or `release` is no plain method of the pool's class.
    """
    for action in ("acquire", "release"):
        method = getattr_static(type(pool), action, None)
        apart = isinstance(method, staticmethod | classmethod) or action in getattr(pool, "__dict__", ())
        if method is None or apart or iscoroutinefunction(method):
            raise UnsupportedError(f"{action} of {pool!r} is no plain method of its class, and cannot be measured")
    with Subject.on(registry, "pool").binding(pool, pool=name, kind="object") as binding:
        lending = Lending(binding, timeouts=(TimeoutError,), refusals=(Exception,))
        plain = type(pool)
        acquire = lending.lends(plain.acquire, made=attrgetter("created"))
        graft(pool, {"acquire": acquire, "release": lending.takes_back(plain.release)})
        binding.undoes(ungraft)
        binding.pulls(lambda pool: _read(pool, lending))


def _read(pool: ObjectPool, lending: Lending) -> Iterable[Pulled]:
    yield rows.RESOURCES, {"state": "used"}, pool.in_use
    yield rows.RESOURCES, {"state": "idle"}, pool.idle
    yield rows.PENDING_REQUESTS, {}, lending.pending
    if pool.limit is not None:
        yield rows.RESOURCES_LIMIT, {}, pool.limit
