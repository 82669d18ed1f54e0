"""Instrumentation of caches."""

from collections.abc import Callable
from types import MethodType
from typing import Any, TypeVar, overload

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import UnsupportedError
from manometer.instrumentation.adapters import adapter_of
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.subject import Subject

__all__ = ["instrument_cache"]

T = TypeVar("T")

_NOT_GIVEN = object()

_LIBRARIES = ("async_lru", "cachebox", "cachetools", "diskcache", "functools")
_OURS = {each: f"manometer.instrumentation.cache.{each}" for each in _LIBRARIES}


@overload
def instrument_cache(cache: T, *, name: str, registry: CollectorRegistry = ...) -> T: ...
@overload
def instrument_cache(*, name: str, registry: CollectorRegistry = ...) -> Callable[[T], T]: ...
def instrument_cache(cache: Any = _NOT_GIVEN, *, name: str, registry: CollectorRegistry = REGISTRY) -> Any:
    """Measure a cache of cachetools or diskcache, or a function that a library caches.

    The libraries of cached functions are functools, cachetools, cachebox and async_lru.

        prices = instrument_cache(TTLCache(9, 60), name="prices")

        @instrument_cache(name="sums")
        @lru_cache
        def total(day): ...

    Use what comes back in the place of what went in: it is the same object, or a drop-in of it. An `lru_cache`
    function is measured where it is, its loads untimed; to decorate it has its loads timed, too.
    `Binding.of(...)` of what comes back gives the handle to close.
    Raises UnsupportedError for another kind of cache, BindingError for a cache bound already.
    """
    if cache is _NOT_GIVEN:
        return lambda decorated: _instrument(decorated, name, registry, in_place=False)
    return _instrument(cache, name, registry, in_place=True)


def _instrument(cache: T, name: str, registry: CollectorRegistry, *, in_place: bool) -> T:
    if isinstance(cache, MethodType | classmethod | staticmethod):
        raise UnsupportedError(
            f"{cache!r} binds a function; instrument the cached function that it binds, or the cache object itself"
        )
    wanted = (
        "a cache of cachetools or diskcache, or a function cached by cachetools, functools, async_lru or cachebox"
    )
    measure = adapter_of(cache, "cache", _OURS, wanted)
    instrumented: T = measure(cache, Bind(Subject.on(registry, "cache"), {"cache.name": name}, in_place))
    return instrumented
