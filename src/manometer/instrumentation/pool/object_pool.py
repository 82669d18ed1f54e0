"""Pools of reusable objects, of any library or of your own, that keep to a small interface."""

from collections.abc import Container, Iterable
from inspect import getattr_static, isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, unwrap
from operator import attrgetter
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from manometer.catalogue import pool as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.lending import Lending
from manometer.registry.catalogued import Pulled

__all__ = ["INTERFACE", "ObjectPool", "has_interface", "instrument"]

INTERFACE = "acquire(), release() and in_use"
_MAY_HAVE = ("idle", "limit", "created")


class ObjectPool(Protocol):
    """What a pool of objects has to have; `idle`, `limit` and `created` it may have.

    `acquire` raises TimeoutError where it waited in vain, and any other exception where it refuses.
    in_use, idle: objects out of the pool and in it; limit: how many there may be, None for no limit;
    created: objects made so far, a number that only grows. What a pool does not have when it is instrumented has no
    series; without `created`, that is the acquisitions, which it tells apart.
    A collection reads all but `created`, which each acquisition reads: they must neither wait nor do I/O.
    A use lasts from `acquire` to the `release` of the same object. Where a pool takes back another object
    than it lent, such as what a lent context manager gives, its uses are not timed.
    """

    in_use: int

    def acquire(self) -> Any:
        """Take an object out."""

    def release(self, resource: Any, /) -> Any:
        """Put an object back."""


def has_interface(pool: object) -> bool:
    """Whether the pool has all that an ObjectPool has to have, of its class's or by delegation."""
    return all(hasattr(pool, name) for name in ("acquire", "release", "in_use"))


def instrument(pool: Any, *, name: str, registry: CollectorRegistry) -> None:
    """Time what is taken out and put back; read the rest off the pool.

    Raises UnsupportedError where `acquire` or `release` is no plain method of the pool's class.
    """
    for action in ("acquire", "release"):
        method = getattr_static(type(pool), action, None)
        apart = isinstance(method, staticmethod | classmethod) or action in getattr(pool, "__dict__", ())
        if method is None or apart or _runs_later(method):
            raise UnsupportedError(f"{action} of {pool!r} is no plain method of its class, and cannot be measured")
    identity = {"pool.name": name, "pool.kind": "object"}
    with Subject.on(registry, "pool").binding(pool, identity) as binding:
        told = {each for each in _MAY_HAVE if hasattr(pool, each)}
        counts = "created" in told
        lending = Lending(binding, timeouts=(TimeoutError,), refusals=(Exception,), counts=counts)
        plain = type(pool)
        acquire = lending.lends(plain.acquire, made=attrgetter("created") if counts else _nothing)
        graft(pool, {"acquire": acquire, "release": lending.takes_back(plain.release)})
        binding.undoes(ungraft)
        binding.pulls(lambda pool: _read(pool, lending, told))


def _runs_later(method: Any) -> bool:
    """Whether the call itself does nothing yet: a coroutine, a generator, a context manager made of one."""
    function = unwrap(method)
    kinds = (iscoroutinefunction, isgeneratorfunction, isasyncgenfunction)
    return any(kind(each) for kind in kinds for each in (method, function))


def _nothing(_: Any) -> None:
    """Of a pool that does not say what it has created."""


def _read(pool: Any, lending: Lending, told: Container[str]) -> Iterable[Pulled]:
    yield rows.RESOURCES, {"pool.resource.state": "used"}, pool.in_use
    if "idle" in told:
        yield rows.RESOURCES, {"pool.resource.state": "idle"}, pool.idle
    yield rows.PENDING_REQUESTS, {}, lending.pending
    if "limit" in told and pool.limit is not None:
        yield rows.RESOURCE_LIMIT, {}, pool.limit
