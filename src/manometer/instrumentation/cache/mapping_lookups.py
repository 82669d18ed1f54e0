"""Lookups in a cache that is a mapping: which calls are one, and which only read on the way to something else."""

import functools
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from inspect import CO_VARARGS, CO_VARKEYWORDS, unwrap
from itertools import repeat
from threading import get_ident
from types import FunctionType
from typing import Any

from manometer.instrumentation.cache.adapter import LOOKUPS_A_TIME, CacheEvents
from manometer.instrumentation.cache.amid import Amid
from manometer.instrumentation.cache.mapping_walks import walks
from manometer.instrumentation.drop_in import is_drop_in
from manometer.instrumentation.graft import Methods

__all__ = ["lookups"]

Count = Callable[[], object]

# Operations of a mapping that may read entries through `self[key]`, in the library's class too.
_PASSING = ("clear", "pop", "setdefault", "update")
# Operations that do so only in other classes. The library's own read no entry, and a wrapper would slow each write.
_PASSING_IF_OWN = ("__contains__", "__delitem__", "__setitem__")


def lookups(plain: Any, library: type, removing: Collection[str], events: CacheEvents) -> Methods:
    """Methods that count lookups: `cache[key]` and `get` are lookups, and no other call is one.

    plain: the cache's class. library: the library's own class, whose `__missing__`, if it has one, raises.
    removing: the methods by which the cache removes entries itself.
    """
    hit, miss = events.lookups()
    passing = Amid()
    methods: Methods = {name: passing.within(getattr(plain, name)) for name in _PASSING if hasattr(plain, name)}
    for name in (*_PASSING_IF_OWN, *removing):
        method = getattr(plain, name, None)
        if method is not None and not _is_of(library, method):
            methods[name] = passing.within(method)
    methods |= walks(plain, passing) | _get(plain, library, passing, events, hit, miss)
    loads = getattr(plain, "__missing__", None) is not getattr(library, "__missing__", None)
    if loads and not is_drop_in(plain):  # what a drop-in stands for calls its own `__missing__`
        return methods | _loading(plain, library, passing, events, hit, miss)
    return methods | _failing(plain, library, passing, events, hit, miss)


def _is_of(library: type, method: Callable[..., Any]) -> bool:
    """Whether the method is the library's own."""
    return getattr(method, "__module__", None) == library.__module__


def _takes_more(library: type, look_up: Callable[..., Any]) -> bool:
    """Whether the program may pass more than the key, to a method that is not the library's own."""
    code = None if _is_of(library, look_up) else getattr(look_up, "__code__", None)
    if code is None:
        return False
    return code.co_argcount + code.co_kwonlyargcount > 2 or bool(code.co_flags & (CO_VARARGS | CO_VARKEYWORDS))


def _recorder(passing: Amid, hit: Count, miss: Count) -> Callable[[bool], None]:
    """What hears whether a lookup has found its entry; what runs most often does the same by itself."""
    threads = passing.threads

    def record(found: bool) -> None:
        if (reads := threads.get(get_ident())) is not None:
            reads.add(found)
        else:
            (hit if found else miss)()

    return record


def _failing(plain: Any, library: type, passing: Amid, events: CacheEvents, hit: Count, miss: Count) -> Methods:
    """`cache[key]` where a miss raises: a lookup that comes back is a hit."""
    look_up, threads, record = plain.__getitem__, passing.threads, _recorder(passing, hit, miss)
    clock, (_, took) = events.clock, events.hit_times()
    untimed = repeat(None, 1)

    def __getitem__(self: Any, key: Any) -> Any:
        nonlocal untimed
        for _ in untimed:  # a step of an iterator costs a fraction of a call that counts
            break
        else:
            untimed = repeat(None, LOOKUPS_A_TIME - 1)
            with suppress(RecursionError):  # the stack may have room for a lookup, and have none for its timing
                return timed(self, key)
        try:
            value = look_up(self, key)
        except KeyError:
            record(False)
            raise
        if threads and (reads := threads.get(get_ident())) is not None:
            reads.add(True)
        else:
            hit()
        return value

    def timed(self: Any, key: Any) -> Any:
        started = clock()
        try:
            value = look_up(self, key)
        except KeyError:
            record(False)
            raise
        seconds = clock() - started
        if get_ident() not in threads:
            took(seconds)
        record(True)
        return value

    def with_more(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            value = look_up(self, *args, **kwargs)
        except KeyError:
            record(False)
            raise
        record(True)
        return value

    return {"__getitem__": with_more if _takes_more(library, look_up) else __getitem__}


def _loading(plain: Any, library: type, passing: Amid, events: CacheEvents, hit: Count, miss: Count) -> Methods:
    """`cache[key]` where a miss loads the value: a lookup that comes back may have loaded it."""
    look_up, threads, record = plain.__getitem__, passing.threads, _recorder(passing, hit, miss)
    (due, timed), clock = events.hit_times(), events.clock
    thread = threading.local()

    def __getitem__(self: Any, key: Any) -> Any:
        loads = getattr(thread, "loads", 0)
        started = clock() if due() else None
        value = look_up(self, key)
        if getattr(thread, "loads", 0) == loads:
            if threads and (reads := threads.get(get_ident())) is not None:
                reads.add(True)
            else:
                hit()
                if started is not None:
                    with suppress(RecursionError):
                        timed(clock() - started)
        return value

    def with_more(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        loads = getattr(thread, "loads", 0)
        value = look_up(self, *args, **kwargs)
        if getattr(thread, "loads", 0) == loads:
            record(True)
        return value

    return {
        "__getitem__": with_more if _takes_more(library, look_up) else __getitem__,
        "__missing__": _load(plain, passing, events, miss, thread),
    }


def _load(plain: Any, passing: Amid, events: CacheEvents, miss: Count, thread: threading.local) -> Callable[..., Any]:
    """`__missing__`, each call of which is a miss and a load; it counts the thread's loads in `thread.loads`."""
    load, threads, clock, (ok, error) = plain.__missing__, passing.threads, events.clock, events.loads()

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

    return __missing__


def _get(plain: Any, library: type, passing: Amid, events: CacheEvents, hit: Count, miss: Count) -> Methods:
    """`get`, by how it finds what it returns."""
    if not hasattr(plain, "get"):
        return {}
    if _is_of(library, plain.get):
        return _get_by_key(plain, passing, miss)
    if is_drop_in(plain) or not isinstance(unwrap(plain.get), FunctionType):
        return _get_directly(plain, passing, events, hit, miss)
    return _own_get(plain, passing, events, hit, miss)


def _get_by_key(plain: Any, passing: Amid, miss: Count) -> Methods:
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


def _get_directly(plain: Any, passing: Amid, events: CacheEvents, hit: Count, miss: Count) -> Methods:
    """`get` of compiled code, which asks no method of the class for what is there."""
    look_up, threads, nothing = passing.within(plain.get), passing.threads, object()
    (due, timed), clock = events.hit_times(), events.clock

    def get(self: Any, key: Any, default: Any = None, **kwargs: Any) -> Any:
        started = clock() if due() else None
        value = look_up(self, key, nothing, **kwargs)
        if get_ident() not in threads:
            (miss if value is nothing else hit)()
            if started is not None and value is not nothing:
                with suppress(RecursionError):  # the stack had room for the lookup, and has none for its time
                    timed(clock() - started)
        return default if value is nothing else value

    return {"get": get}


def _own_get(plain: Any, passing: Amid, events: CacheEvents, hit: Count, miss: Count) -> Methods:
    """`get` of a user's class: a hit where it has found an entry on its way."""
    look_up, threads = plain.get, passing.threads
    (due, timed), clock = events.hit_times(), events.clock

    @functools.wraps(look_up)
    def get(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        thread = get_ident()
        if thread in threads:
            return look_up(self, *args, **kwargs)
        threads[thread] = reads = set()
        started = clock() if due() else None
        try:
            value = look_up(self, *args, **kwargs)
            reads.add(True in reads)
            return value
        finally:
            del threads[thread]
            if True in reads:
                hit()
                if started is not None:
                    with suppress(RecursionError):
                        timed(clock() - started)
            elif reads:
                miss()

    return {"get": get}
