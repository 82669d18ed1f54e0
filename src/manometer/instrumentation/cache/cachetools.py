"""cachetools: caches of every policy, and functions cached by `cached`."""

import functools
import inspect
import weakref
from collections.abc import Callable
from math import inf
from types import FunctionType
from typing import Any

import cachetools

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.cache.adapter import CacheEvents, CacheReader, CacheState, Methods
from manometer.instrumentation.cache.loads import loader, timed_load
from manometer.instrumentation.cache.lookups import Amid, lookups
from manometer.instrumentation.graft import graft, ungraft

__all__ = ["cache"]

_entries = cachetools.Cache.__len__  # with the entries that are too old and not yet dropped


def cache(cached: Any, bind: Bind) -> Any:
    """A cache: the same object. A cached function: a drop-in on the same cache, its loads timed."""
    if isinstance(cached, cachetools.Cache):
        with bind(cached) as binding:
            _count(binding, cached)
        return cached
    if not (isinstance(getattr(cached, "cache", None), cachetools.Cache) and hasattr(cached, "cache_key")):
        raise UnsupportedError(
            f"{cached!r} is no cachetools cache and no function cached in one; pass the cache object itself"
        )
    drop_in, time = _drop_in(cached)
    with bind(drop_in, owned=cached.cache, is_drop_in=True) as binding:
        _count(binding, cached.cache)
        time(binding)
    return drop_in


# --- cached functions


def _drop_in(cached: Any) -> tuple[Any, Callable[[Binding], None]]:
    """A cached function of the same settings and attributes on the same cache, and what starts timing its loads.

    Raises UnsupportedError for what `cachetools.cached` did not make: a method of `cachedmethod`, a
    decorator around a cached function that took over its attributes.
    """
    if cached.cache is getattr(cached.__wrapped__, "cache", None):  # stacked, in an older version
        raise UnsupportedError(
            f"{cached!r} shows the cache of the function that it caches; pass the cache object itself"
        )
    decorate: Any = cachetools.cached
    settings = {"key": cached.cache_key, "lock": cached.cache_lock}
    if "condition" in inspect.signature(decorate).parameters:
        settings["condition"] = cached.cache_condition
    decorator = decorate(cached.cache, info=callable(getattr(cached, "cache_info", None)), **settings)
    if _kind(cached) != _kind(decorator(cached.__wrapped__)):
        raise UnsupportedError(f"{cached!r} is not what cachetools.cached returned; pass the cache object itself")
    load, time = timed_load(loader(cached, _held(cached)))
    drop_in = decorator(load)
    for attribute, value in vars(cached).items():
        vars(drop_in).setdefault(attribute, value)
    functools.update_wrapper(drop_in, cached, updated=())
    drop_in.__wrapped__ = cached.__wrapped__
    return drop_in, time


def _kind(cached: Any) -> tuple[type, Any]:
    """What `cachetools.cached` made: an object of a class of its own, before cachetools 8 a function."""
    return type(cached), getattr(cached, "__code__", None)


def _held(cached: Any) -> list[object]:
    """What a cached function holds besides its `__wrapped__`."""
    if isinstance(cached, FunctionType):
        return [cell.cell_contents for cell in cached.__closure__ or ()]
    return [value for name, value in vars(cached).items() if name != "__wrapped__"]


# --- caches


def _count(binding: Binding, cache: Any) -> None:
    """Have the cache count what happens to it, for itself or for the function that it is the cache of."""
    ungraft(cache)  # from a function that has died without its graft being taken off
    plain = type(cache)
    binding.pulls(CacheReader(binding.target, lambda target: _read(_cache_of(target))))
    events = CacheEvents(binding)
    looks = lookups(plain, cachetools.Cache, events)
    grafted = graft(cache, looks | _removals(plain, looks, events), bare_clones=True)
    if binding.target is not cache:
        # A function that dies takes the graft off its cache. Setting a class takes no lock, so it is safe in a
        # finalizer.
        weakref.finalize(binding.target, _ungraft, weakref.ref(cache), grafted).atexit = False
    binding.undoes(lambda target: ungraft(_cache_of(target), grafted))


def _ungraft(cache: weakref.ref[Any], grafted: type) -> None:
    target = cache()
    if target is not None:
        ungraft(target, grafted)


def _cache_of(target: Any) -> Any:
    return target if isinstance(target, cachetools.Cache) else target.cache


def _read(cache: Any) -> CacheState:
    # A cache with a time to live drops what is too old when it is asked for its size. A collection
    # must not change a cache that has no lock of its own, so the size is asked of the base class.
    size: Any = cachetools.Cache.currsize
    return CacheState(entries=size.fget(cache), limit=cache.maxsize if cache.maxsize < inf else None)


def _removals(plain: Any, quiet: Methods, events: CacheEvents) -> Methods:
    """Methods that count entries that leave: `popitem` makes room, `expire` drops what is too old.

    quiet: the methods that these build on, in which no read counts as a lookup.
    """
    evicted, _ = events.evictions("capacity")
    _, cleared = events.evictions("cleared")
    clearing = Amid()  # older versions call `popitem` for each entry
    make_room, clear_all = quiet.get("popitem", plain.popitem), clearing.within(quiet["clear"])

    def popitem(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        item = make_room(self, *args, **kwargs)
        if not clearing.holds():
            evicted()
        return item

    def clear(self: Any, /, *args: Any, **kwargs: Any) -> None:
        entries = _entries(self)
        try:
            clear_all(self, *args, **kwargs)
        finally:
            if (gone := entries - _entries(self)) > 0 and not clearing.holds():
                cleared(gone)

    methods: Methods = {"popitem": popitem, "clear": clear}
    return methods | _expiries(plain, quiet, events, clearing) if hasattr(plain, "expire") else methods


def _expiries(plain: Any, quiet: Methods, events: CacheEvents, clearing: Amid) -> Methods:
    """The same of a cache whose entries have a time to live."""
    expired_one, expired = events.evictions("expired")
    drop, remove = quiet.get("expire", plain.expire), quiet.get("__delitem__", plain.__delitem__)

    def expire(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        entries = _entries(self)
        found = drop(self, *args, **kwargs)
        if (gone := entries - _entries(self)) > 0 and not clearing.holds():
            expired(gone)
        return found

    def __delitem__(self: Any, key: Any) -> None:
        entries = _entries(self)
        try:
            remove(self, key)
        except KeyError:  # no such key, or an entry too old, which is removed all the same
            if _entries(self) < entries:
                expired_one()
            raise

    def __setitem__(self: Any, key: Any, value: Any) -> None:
        plain.__setitem__(self, key, value)
        # A value that is too old as it comes never enters. Older versions keep the earlier value of the key.
        if not cachetools.Cache.__contains__(self, key) or cachetools.Cache.__getitem__(self, key) is not value:
            expired_one()

    methods: Methods = {"expire": expire, "__delitem__": __delitem__}
    if plain.__setitem__ is cachetools.TLRUCache.__setitem__:
        methods["__setitem__"] = __setitem__
    return methods
