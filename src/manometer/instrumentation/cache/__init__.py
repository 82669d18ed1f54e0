"""Instrumentation of caches."""

from types import MethodType
from typing import TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import UnsupportedError
from manometer.instrumentation.library import adapter

__all__ = ["instrument_cache"]

T = TypeVar("T")

_ADAPTERS = {
    "cachetools": "manometer.instrumentation.cache.cachetools",
    "functools": "manometer.instrumentation.cache.functools",
}


def instrument_cache(cache: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Measure a cache: a cachetools cache or cached function, or a `functools.lru_cache` function.

    Use what comes back in the place of what went in: it is the same object, or a drop-in of it
    with the time of each load measured. `Binding.of(...)` of it gives the handle to close.
    Raises UnsupportedError for another kind of cache, BindingError for a cache bound already.
    """
    if isinstance(cache, MethodType | classmethod | staticmethod):
        raise UnsupportedError(
            f"{cache!r} binds a function; instrument the cached function that it binds, or the cache object itself"
        )
    found = adapter(cache, _ADAPTERS, "a cachetools cache, or a function cached by cachetools or functools.lru_cache")
    instrumented: T = found.instrument(cache, name=name, registry=registry)
    return instrumented
