"""Pools of reusable objects, of any library or of your own, that keep to a small interface."""

from inspect import getattr_static, isasyncgenfunction, isgeneratorfunction, unwrap
from operator import attrgetter
from typing import Any, Protocol

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.pool.adapter import PoolAdapter, PoolState

__all__ = ["INTERFACE", "ObjectPool", "has_interface", "pool"]

INTERFACE = "acquire(), release() and in_use"


class ObjectPool(Protocol):
    """What a pool of objects has to have; `idle`, `limit` and `created` it may have.

    `acquire` raises TimeoutError where it waited in vain, and any other exception where it refuses. It and `release`
    may be coroutines. Where `acquire` gives a context manager, plain or asynchronous, a use lasts for the block.
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


def has_interface(target: object) -> bool:
    """Whether the pool has all that an ObjectPool has to have, of its class's or by delegation."""
    return all(hasattr(target, name) for name in ("acquire", "release", "in_use"))


def pool(target: Any, bind: Bind) -> Any:
    """Time what is taken out and put back; read the rest off the pool.

    Raises UnsupportedError where `acquire` or `release` is no plain method of the pool's class.
    """
    told = {each for each in ("idle", "limit", "created") if hasattr(target, each)}

    def read(pool: Any) -> PoolState:
        return PoolState(
            used=pool.in_use,
            idle=pool.idle if "idle" in told else None,
            limit=pool.limit if "limit" in told else None,
        )

    for_a_block = _lends_for_a_block(target)
    measure = PoolAdapter(
        takes=object,
        kind="object",
        read=read,
        created=attrgetter("created") if "created" in told else None,
        timeouts=(TimeoutError,),
        rejections=(Exception,),
        acquire="" if for_a_block else "acquire",
        release="" if for_a_block else "release",
        block="acquire" if for_a_block else "",
    )
    return measure(target, bind)


def _lends_for_a_block(target: Any) -> bool:
    """Whether `acquire` gives a context manager made of a generator."""
    method = getattr_static(type(target), "acquire", None)
    function: Any = unwrap(method) if callable(method) else method
    if not (isgeneratorfunction(function) or isasyncgenfunction(function)):
        return False
    if function is method:
        raise UnsupportedError(f"acquire of {target!r} is a generator, and cannot be measured; use contextmanager")
    return True
