"""cachetools: caches of every policy, and functions cached by `cached`."""

import inspect
from collections.abc import Callable
from math import inf
from operator import attrgetter
from typing import Any

import cachetools

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.cache.adapter import CacheAdapter, CacheEvents, CacheState
from manometer.instrumentation.cache.function import CachedFunctionAdapter
from manometer.instrumentation.cache.mapping import MappingMethods
from manometer.instrumentation.graft import Methods

__all__ = ["cache"]


def _read(cache: Any) -> CacheState:
    # A cache with a time to live drops what is too old when it is asked for its size. A collection
    # must not change a cache that has no lock of its own, so the size is asked of the base class.
    size: Any = cachetools.Cache.currsize
    return CacheState(entries=size.fget(cache), limit=cache.maxsize if cache.maxsize < inf else None)


_mapping = MappingMethods(
    evict="popitem",
    expire="expire",
    entries=cachetools.Cache.__len__,  # with the entries that are too old and not yet dropped
    library=cachetools.Cache,
)


def _methods(plain: Any, events: CacheEvents) -> Methods:
    methods = _mapping(plain, events)
    if plain.__setitem__ is cachetools.TLRUCache.__setitem__:
        methods["__setitem__"] = _setting(plain, events)
    return methods


def _setting(plain: Any, events: CacheEvents) -> Callable[..., None]:
    expired, _ = events.evictions("expired")

    def __setitem__(self: Any, key: Any, value: Any) -> None:
        plain.__setitem__(self, key, value)
        # A value that is too old as it comes never enters. Older versions keep the earlier value of the key.
        if not cachetools.Cache.__contains__(self, key) or cachetools.Cache.__getitem__(self, key) is not value:
            expired()

    return __setitem__


def _decorator(cached: Any) -> Callable[[Any], Any]:
    if cached.cache is getattr(cached.__wrapped__, "cache", None):  # stacked, in an older version
        raise UnsupportedError(f"{cached!r} shows the cache of another function; pass the cache object itself")
    decorate: Any = cachetools.cached
    settings = {"key": cached.cache_key, "lock": cached.cache_lock}
    if "condition" in inspect.signature(decorate).parameters:
        settings["condition"] = cached.cache_condition
    counts = callable(getattr(cached, "cache_info", None))
    decorator: Callable[[Any], Any] = decorate(cached.cache, info=counts, **settings)
    return decorator


_caches = CacheAdapter(takes=cachetools.Cache, read=_read, methods=_methods)
_functions = CachedFunctionAdapter(decorator=_decorator, caches=_caches, cache_of=attrgetter("cache"))


def cache(cached: Any, bind: Bind) -> Any:
    """A cache: the same object. A cached function: a drop-in on the same cache, its loads timed."""
    if isinstance(cached, cachetools.Cache):
        return _caches(cached, bind)
    if isinstance(getattr(cached, "cache", None), cachetools.Cache) and hasattr(cached, "cache_key"):
        return _functions(cached, bind)
    raise UnsupportedError(f"{cached!r} is no cachetools cache, and not cached in one; pass the cache object itself")
