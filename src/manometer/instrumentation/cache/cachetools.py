"""cachetools: caches of every policy, and functions cached by `cached`."""

import functools
import operator
import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from math import inf
from typing import Any

import cachetools
from prometheus_client import CollectorRegistry

from manometer.catalogue import cache as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding, Subject
from manometer.instrumentation.cache.loads import Relay, timed_load
from manometer.instrumentation.graft import graft, ungraft
from manometer.meters.catalogued import Pulled

__all__ = ["instrument"]

Methods = dict[str, Callable[..., Any]]


def instrument(cached: Any, *, name: str, registry: CollectorRegistry) -> Any:
    """A cache: the same object. A cached function: a drop-in on the same cache, its loads timed."""
    if isinstance(cached, cachetools.Cache):
        with Subject.on(registry, "cache").binding(cached, cache=name) as binding:
            _count(binding, cached)
        return cached
    if isinstance(getattr(cached, "cache", None), cachetools.Cache) and callable(getattr(cached, "cache_key", None)):
        relay = Relay(cached.__wrapped__)
        decorate: Any = cachetools.cached
        drop_in = decorate(
            cached.cache,
            key=cached.cache_key,
            lock=cached.cache_lock,
            condition=cached.cache_condition,
            info=hasattr(cached, "cache_info"),
        )(relay.stand_in)
        functools.update_wrapper(drop_in, cached.__wrapped__)
        with Subject.on(registry, "cache").binding(drop_in, owned=cached.cache, cache=name) as binding:
            _count(binding, cached.cache)
            relay.time(binding)
        return drop_in
    raise UnsupportedError(
        f"{cached!r} is no cachetools cache and no function cached in one; pass the cache object itself"
    )


def _count(binding: Binding, cache: Any) -> None:
    """Have the cache count what happens to it, for itself or for the function that it is the cache of."""
    plain = type(cache)
    binding.pulls(lambda target: _read(_cache_of(target)))
    graft(cache, _lookups(plain, binding) | _passages(plain) | _evictions(plain, binding))
    binding.undoes(lambda target: ungraft(_cache_of(target)))


def _cache_of(target: Any) -> Any:
    return target if isinstance(target, cachetools.Cache) else target.cache


def _read(cache: Any) -> Iterable[Pulled]:
    # A cache with a time to live drops what is too old when it is asked for its size. A collection
    # must not change a cache that has no lock of its own, so the size is asked of the base class.
    size: Any = cachetools.Cache.currsize
    yield rows.ENTRIES, {}, size.fget(cache)
    if cache.maxsize < inf:
        yield rows.ENTRIES_LIMIT, {}, cache.maxsize


def _lookups(plain: Any, binding: Binding) -> Methods:
    """What counts lookups, which are `cache[key]` and `get`, and times loads by `__missing__`."""
    hit = binding.counter("cache.requests", result="hit").tick
    miss = binding.counter("cache.requests", result="miss").tick
    lookup, still = plain.__getitem__, _still(plain)

    def __getitem__(self: Any, key: Any) -> Any:
        value = lookup(self, key)
        hit()
        return value

    def __missing__(self: Any, key: Any) -> Any:
        miss()
        return plain.__missing__(self, key)

    def get(self: Any, key: Any, default: Any = None) -> Any:
        with still(self):
            if key in self:
                return self[key]
        miss()
        return default

    methods: Methods = {"__getitem__": __getitem__, "__missing__": __missing__}
    if plain.__missing__ is not cachetools.Cache.__missing__:
        methods |= _loading(plain, binding, hit, miss)
    return methods | _where_inherited(plain, get)


def _loading(plain: Any, binding: Binding, hit: Callable[[], object], miss: Callable[[], object]) -> Methods:
    """The same for a cache whose `__missing__` returns a value: a lookup that came back is no hit then."""
    load = timed_load(binding, plain.__missing__)
    lookup = plain.__getitem__
    thread = threading.local()

    def __getitem__(self: Any, key: Any) -> Any:
        loads = getattr(thread, "loads", 0)
        value = lookup(self, key)
        if getattr(thread, "loads", 0) == loads:
            hit()
        return value

    def __missing__(self: Any, key: Any) -> Any:
        miss()
        value = load(self, key)
        thread.loads = getattr(thread, "loads", 0) + 1
        return value

    return {"__getitem__": __getitem__, "__missing__": __missing__}


def _passages(plain: Any) -> Methods:
    """`setdefault` and `pop`, which look up on the way to something else, and count as no lookup."""
    lookup, still = plain.__getitem__, _still(plain)
    nothing = object()

    def setdefault(self: Any, key: Any, default: Any = None) -> Any:
        with still(self):
            if key in self:
                return lookup(self, key)
            self[key] = default
        return default

    def pop(self: Any, key: Any, default: Any = nothing) -> Any:
        with still(self):
            if key in self:
                value = lookup(self, key)
                del self[key]
                return value
        if default is nothing:
            raise KeyError(key)
        return default

    return _where_inherited(plain, setdefault, pop)


def _where_inherited(plain: Any, *methods: Callable[..., Any]) -> Methods:
    """Those of the methods that the cache's class has from cachetools: one of its own stays as it is."""
    ours = cachetools.__name__
    return {each.__name__: each for each in methods if getattr(plain, each.__name__).__module__ == ours}


def _still(plain: Any) -> Callable[[Any], Any]:
    """What holds the clock of a cache with a time to live still, from the test for a key to its lookup."""
    return operator.attrgetter("timer") if hasattr(plain, "timer") else lambda _cache: nullcontext()


def _evictions(plain: Any, binding: Binding) -> Methods:
    """What counts entries that leave: `popitem` makes room, `expire` drops what is too old."""
    evicted = binding.counter("cache.evictions", cause="capacity").tick
    expired = binding.counter("cache.evictions", cause="expired").inc
    cleared = binding.counter("cache.evictions", cause="cleared").inc

    def popitem(self: Any) -> Any:
        item = plain.popitem(self)
        evicted()
        return item

    def expire(self: Any, time: Any = None) -> Any:
        items = plain.expire(self, time)
        if items:
            expired(len(items))
        return items

    def clear(self: Any) -> None:
        entries = cachetools.Cache.__len__(self)
        plain.clear(self)
        if entries:
            cleared(entries)

    methods: Methods = {"popitem": popitem, "clear": clear}
    return methods | {"expire": expire} if hasattr(plain, "expire") else methods
