"""functools.lru_cache: everything but the loads is read off `cache_info()`; a hit costs nothing."""

import functools
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

from prometheus_client import CollectorRegistry

from manometer.catalogue import cache as rows
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.cache.loads import timed_load
from manometer.meters.catalogued import Pulled

__all__ = ["instrument"]


class _CachedFunction(Protocol):
    __wrapped__: Callable[..., Any]

    def cache_info(self) -> Any: ...

    def cache_parameters(self) -> dict[str, Any]: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


def instrument(cached: _CachedFunction, *, name: str, registry: CollectorRegistry) -> _CachedFunction:
    """A new `lru_cache` of the same parameters around the same function, its loads timed.

    The C cache calls the function that it was built with, so timing the loads takes a new one; it
    starts empty. `cache_clear` sets `cache_info()` back, which reads as a counter's restart.
    """
    loader: list[Callable[..., Any]] = []

    def load(*args: Any, **kwargs: Any) -> Any:
        return loader[0](*args, **kwargs)

    functools.update_wrapper(load, cached.__wrapped__)
    drop_in = cast(_CachedFunction, functools.lru_cache(**cached.cache_parameters())(load))
    functools.update_wrapper(cast(Any, drop_in), cached.__wrapped__)
    binding = Subject.on(registry, "cache").bind(drop_in, cache=name)
    loader.append(timed_load(binding, cached.__wrapped__))
    binding.pulls(_reader(drop_in))
    binding.undoes(lambda: loader.__setitem__(0, cached.__wrapped__))
    return drop_in


def _reader(drop_in: _CachedFunction) -> Callable[[], Iterable[Pulled]]:
    function = weakref.ref(drop_in)

    def read() -> Iterable[Pulled]:
        cached = function()
        if cached is None:
            return
        hits, misses, limit, entries = cached.cache_info()
        yield rows.REQUESTS, {"result": "hit"}, hits
        yield rows.REQUESTS, {"result": "miss"}, misses
        yield rows.ENTRIES, {}, entries
        if limit is not None:
            yield rows.ENTRIES_LIMIT, {}, limit

    return read


