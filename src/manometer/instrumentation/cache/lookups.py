"""Lookups in a cache that is a mapping: which calls are one, and which only read on the way to something else."""

import functools
import threading
from collections.abc import Callable, ItemsView, Iterator, ValuesView
from threading import get_ident
from typing import Any

from manometer.instrumentation.cache.adapter import CacheEvents, Methods
from manometer.meters.fork import Forked, renewed_in_child

__all__ = ["Amid", "lookups"]

Count = Callable[[], object]

# Operations of a mapping that may read entries through `self[key]`.
_PASSING = ("clear", "pop", "setdefault", "update")
# Operations that do so only in a user's class. The library's own read no entry, and a wrapper would slow each write.
_PASSING_IF_OWN = ("__contains__", "__delitem__", "__setitem__", "expire", "popitem")


class Amid:
    """The threads that are within an operation, each with the outcomes of its reads: True for found."""

    def __init__(self) -> None:
        self.threads: dict[int, set[bool]] = {}
        renewed_in_child(self)

    def renew(self, forked: Forked) -> None:
        """Forget the threads that a forked child does not have; late, the child has others, which may be at it."""
        if forked is not Forked.LATE:
            for thread in self.threads.keys() - {get_ident()}:
                del self.threads[thread]

    def holds(self) -> bool:
        """Whether the calling thread is within the operation."""
        return get_ident() in self.threads

    def within(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method`, as such an operation. Nobody asks for the outcomes of its reads."""
        threads, unread = self.threads, set[bool]()

        @functools.wraps(method)
        def run(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            thread = get_ident()
            if thread in threads:
                return method(self, *args, **kwargs)
            threads[thread] = unread
            try:
                return method(self, *args, **kwargs)
            finally:
                del threads[thread]

        return run


def lookups(plain: Any, library: Any, events: CacheEvents) -> Methods:
    """Methods that count lookups: `cache[key]` and `get` are lookups, and no other call is one.

    plain: the cache's class. library: the library's base class of it, in which `__missing__` raises.
    """
    hit, miss = events.lookups()
    passing = Amid()
    methods: Methods = {name: passing.within(getattr(plain, name)) for name in _PASSING}
    module = library.__module__
    for name in _PASSING_IF_OWN:
        method = getattr(plain, name, None)
        if method is not None and method.__module__ != module:
            methods[name] = passing.within(method)
    methods |= _walks(plain, passing)
    methods |= _get(plain, passing, miss) if plain.get.__module__ == module else _own_get(plain, passing, hit, miss)
    if plain.__missing__ is not library.__missing__:
        return methods | _loading(plain, passing, events, hit, miss)
    return methods | _failing(plain, passing, hit, miss)


def _failing(plain: Any, passing: Amid, hit: Count, miss: Count) -> Methods:
    """`cache[key]` where a miss raises: a lookup that comes back is a hit."""
    look_up, threads = plain.__getitem__, passing.threads

    def __getitem__(self: Any, key: Any) -> Any:
        value = look_up(self, key)
        if threads and (reads := threads.get(get_ident())) is not None:
            reads.add(True)
        else:
            hit()
        return value

    def __missing__(self: Any, key: Any) -> Any:
        if (reads := threads.get(get_ident())) is not None:
            reads.add(False)
        else:
            miss()
        return plain.__missing__(self, key)

    return {"__getitem__": __getitem__, "__missing__": __missing__}


def _loading(plain: Any, passing: Amid, events: CacheEvents, hit: Count, miss: Count) -> Methods:
    """`cache[key]` where a miss loads the value: a lookup that comes back may have loaded it."""
    ok, error = events.loads()
    look_up, load, threads = plain.__getitem__, plain.__missing__, passing.threads
    thread, clock = threading.local(), events.clock

    def __getitem__(self: Any, key: Any) -> Any:
        loads = getattr(thread, "loads", 0)
        value = look_up(self, key)
        if getattr(thread, "loads", 0) == loads:
            if threads and (reads := threads.get(get_ident())) is not None:
                reads.add(True)
            else:
                hit()
        return value

    # One frame for all of it, because a load that looks up in its cache pays for each frame with its depth.
    def __missing__(self: Any, key: Any) -> Any:
        thread.loads = getattr(thread, "loads", 0) + 1
        caller = get_ident()
        reads = threads.get(caller)
        if reads is None:
            miss()
        else:
            reads.add(False)
            del threads[caller]  # the load's own lookups count, whatever it is a part of
        started = clock()
        try:
            value = load(self, key)
        except BaseException:
            error(clock() - started)
            raise
        else:
            ok(clock() - started)
        finally:
            if reads is not None:
                threads[caller] = reads
        return value

    return {"__getitem__": __getitem__, "__missing__": __missing__}


def _get(plain: Any, passing: Amid, miss: Count) -> Methods:
    """`get`, which asks `cache[key]` for what is there, and so counts no hit of its own."""
    look_up, threads, nothing = plain.get, passing.threads, object()

    def get(self: Any, key: Any, default: Any = None) -> Any:
        value = look_up(self, key, nothing)
        if value is not nothing:
            return value
        if get_ident() not in threads:
            miss()
        return default

    return {"get": get}


def _own_get(plain: Any, passing: Amid, hit: Count, miss: Count) -> Methods:
    """`get` of a user's class: a hit where it has found an entry on its way."""
    look_up, threads = plain.get, passing.threads

    @functools.wraps(look_up)
    def get(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        thread = get_ident()
        if thread in threads:
            return look_up(self, *args, **kwargs)
        threads[thread] = reads = set()
        try:
            value = look_up(self, *args, **kwargs)
            reads.add(True in reads)
            return value
        finally:
            del threads[thread]
            if True in reads:
                hit()
            elif reads:
                miss()

    return {"get": get}


def _walks(plain: Any, passing: Amid) -> Methods:
    """`items` and `values`, which read each entry as the caller comes to it."""
    read = passing.within(plain.__getitem__)

    class Items(ItemsView[Any, Any]):
        __slots__ = ()
        __contains__ = passing.within(ItemsView.__contains__)

        def __iter__(self) -> Iterator[tuple[Any, Any]]:
            cache = _cache_of(self)
            for key in cache:
                yield key, read(cache, key)

    class Values(ValuesView[Any]):
        __slots__ = ()
        __contains__ = passing.within(ValuesView.__contains__)

        def __iter__(self) -> Iterator[Any]:
            cache = _cache_of(self)
            for key in cache:
                yield read(cache, key)

    plain_items, plain_values = passing.within(plain.items), passing.within(plain.values)

    def items(self: Any) -> Any:
        view = plain_items(self)
        return Items(self) if type(view) is ItemsView else view

    def values(self: Any) -> Any:
        view = plain_values(self)
        return Values(self) if type(view) is ValuesView else view

    Items.__name__, Values.__name__ = ItemsView.__name__, ValuesView.__name__  # shown by their repr
    return {"items": items, "values": values}


def _cache_of(view: Any) -> Any:
    return view._mapping
