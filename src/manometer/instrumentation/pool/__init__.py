"""Instrumentation of pools: of connections, of objects, of workers."""

from typing import TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.instrumentation.library import adapter
from manometer.instrumentation.pool import object_pool

__all__ = ["instrument_executor", "instrument_pool"]

T = TypeVar("T")

_POOLS = {"sqlalchemy": "manometer.instrumentation.pool.sqlalchemy"}
_EXECUTORS = {"concurrent": "manometer.instrumentation.pool.concurrent"}


def instrument_pool(pool: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Measure a pool: a SQLAlchemy engine, async engine or pool, or an object pool; returns the same object.

    An object pool has `acquire()`, `release(object)` and `in_use`; where it has `idle`, `limit` and
    `created` too, these are shown: see `manometer.instrumentation.pool.object_pool.ObjectPool`.
    Raises UnsupportedError for another kind of pool, BindingError for a pool bound already.
    """
    if object_pool.has_interface(pool):
        object_pool.instrument(pool, name=name, registry=registry)
    else:
        found = adapter(pool, _POOLS, f"a SQLAlchemy engine or pool, or an object with {object_pool.INTERFACE}")
        found.instrument(pool, name=name, registry=registry)
    return pool


def instrument_executor(executor: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Measure a `concurrent.futures.ThreadPoolExecutor` as a pool of workers; returns the same object.

    A task keeps the trace of the code that submitted it.
    Raises UnsupportedError for another executor, BindingError for one bound already.
    """
    found = adapter(executor, _EXECUTORS, "a concurrent.futures.ThreadPoolExecutor")
    found.instrument(executor, name=name, registry=registry)
    return executor
