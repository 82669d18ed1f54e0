"""Instrumentation of pools: of connections, of objects, of workers."""

from typing import TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.instrumentation.adapters import adapter_of
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.pool import object_pool
from manometer.instrumentation.subject import Subject

__all__ = ["instrument_executor", "instrument_pool"]

T = TypeVar("T")

_OF_CONNECTIONS = ("SQLAlchemy", "psycopg_pool", "psycopg2", "asyncpg", "redis")
_POOLS = {each.lower(): f"manometer.instrumentation.pool.{each.lower()}" for each in _OF_CONNECTIONS}
_WORKERS = {"concurrent": "manometer.instrumentation.pool.concurrent"}


def instrument_pool(pool: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Measure a pool: of SQLAlchemy, psycopg_pool, psycopg2, asyncpg or redis-py, or an object pool.

    Pass an engine, a client or the pool itself, blocking or asynchronous.

    Use what comes back: it is the same object or, where its class takes no other methods, a drop-in of it.
    An object pool has `acquire()`, `release(object)` and `in_use`, the first two of which may be coroutines; where it
    has `idle`, `limit` and `created` too, these are shown: see `manometer.adapter.ObjectPool`.
    Raises UnsupportedError for another kind of pool, BindingError for a pool bound already.
    """
    wanted = f"a pool of {', '.join(_OF_CONNECTIONS)}, or an object with {object_pool.INTERFACE}"
    otherwise = object_pool.pool if object_pool.has_interface(pool) else None
    measure = adapter_of(pool, "pool", _POOLS, wanted, otherwise)
    instrumented: T = measure(pool, Bind(Subject.on(registry, "pool"), {"pool.name": name}))
    return instrumented


def instrument_executor(executor: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Measure a `concurrent.futures.ThreadPoolExecutor` as a pool of workers; returns the same object.

    A task keeps the trace of the code that submitted it.
    Raises UnsupportedError for another executor, BindingError for one bound already.
    """
    wanted = "a concurrent.futures.ThreadPoolExecutor"
    measure = adapter_of(executor, "workers", _WORKERS, wanted)
    instrumented: T = measure(executor, Bind(Subject.on(registry, "pool"), {"pool.name": name}))
    return instrumented
