"""cachetools: caches of every policy, and functions cached by `cached`."""

import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import cachetools
from prometheus_client import CollectorRegistry

from manometer.catalogue import cache as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding, Subject
from manometer.instrumentation.cache.loads import timed_load
from manometer.instrumentation.graft import graft
from manometer.meters.catalogued import Pulled

__all__ = ["instrument"]


def instrument(cached: Any, *, name: str, registry: CollectorRegistry) -> Any:
    """A cache: the same object. A cached function: a drop-in on the same cache, its loads timed."""
    if isinstance(cached, cachetools.Cache):
        return _cache(cached, name, registry)
    if isinstance(getattr(cached, "cache", None), cachetools.Cache) and hasattr(cached, "__wrapped__"):
        return _function(cached, name, registry)
    raise UnsupportedError(
        f"{cached!r} is no cachetools cache and no function cached in one; pass the cache object itself"
    )


def _cache(cache: Any, name: str, registry: CollectorRegistry) -> Any:
    binding = Subject.on(registry, "cache").bind(cache, cache=name)
    binding.pulls(_reader(cache))
    binding.undoes(graft(cache, _methods(type(cache), binding)))
    return cache


def _function(function: Any, name: str, registry: CollectorRegistry) -> Any:
    if not isinstance(function.cache_key, Callable):  # type: ignore[arg-type]
        raise UnsupportedError(f"{function!r} has no cache key to rebuild it by; instrument its cache instead")
    _cache(function.cache, name, registry)
    binding = Binding.of(function.cache)
    decorate = cachetools.cached(
        function.cache,
        key=function.cache_key,
        lock=function.cache_lock,
        condition=function.cache_condition,
        info=hasattr(function, "cache_info"),
    )
    return decorate(timed_load(binding, function.__wrapped__))


def _reader(cache: Any) -> Callable[[], Iterable[Pulled]]:
    reference = weakref.ref(cache)
    # A TTL cache expires entries when it is asked for its size. A collection must not change a cache
    # that has no lock of its own, so the size is read past the policy, as the base class keeps it.
    size = cachetools.Cache.currsize.__get__

    def read() -> Iterable[Pulled]:
        found = reference()
        if found is not None:
            yield rows.ENTRIES, {}, size(found)
            yield rows.ENTRIES_LIMIT, {}, found.maxsize

    return read


def _methods(plain: type, binding: Binding) -> dict[str, Callable[..., Any]]:
    """The methods that count, for a cache of this class.

    A lookup is `cache[key]` or `get`. cachetools calls `__missing__` on a failed one, `popitem` to
    make room, `expire` for what is too old; `setdefault` and `pop` look up on the way to something
    else, and count as none.
    """
    hit = binding.counter("cache.requests", result="hit").inc
    miss = binding.counter("cache.requests", result="miss").inc
    evicted = binding.counter("cache.evictions", cause="capacity").inc
    expired = binding.counter("cache.evictions", cause="expired").inc
    cleared = binding.counter("cache.evictions", cause="cleared").inc
    base: Any = plain
    lookup, size = base.__getitem__, cachetools.Cache.__len__
    # Whether this thread is inside a method that looks up without asking, or has just missed.
    local = threading.local()

    def __getitem__(self: Any, key: Any) -> Any:
        value = lookup(self, key)
        hit()
        return value

    def __missing__(self: Any, key: Any) -> Any:
        miss()
        return base.__missing__(self, key)

    def get(self: Any, key: Any, default: Any = None) -> Any:
        if key in self:
            return self[key]
        miss()
        return default

    def popitem(self: Any) -> Any:
        item = base.popitem(self)
        evicted()
        return item

    def expire(self: Any, time: Any = None) -> Any:
        items = base.expire(self, time)
        if items:
            expired(len(items))
        return items

    def clear(self: Any) -> None:
        entries = size(self)
        base.clear(self)
        if entries:
            cleared(entries)

    ...
