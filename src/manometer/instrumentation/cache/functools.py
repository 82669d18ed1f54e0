"""functools.lru_cache: everything but the loads is read off `cache_info()`; a hit costs nothing."""

import functools
import gc
from contextlib import suppress
from typing import Any

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.cache.adapter import CacheReader, CacheState
from manometer.instrumentation.cache.loads import loader, timed_load

__all__ = ["cache"]

# Of the class: the attribute of that name may be of another cached function, which this one caches.
_info = functools._lru_cache_wrapper.cache_info


def cache(cached: Any, bind: Bind) -> Any:
    """Read what the function tells of itself; where the program takes a drop-in, time the loads as well.

    The C cache calls the function that it was built with, so timing the loads takes a new `lru_cache` of the same
    parameters around the same function; it starts empty. `cache_clear` sets `cache_info()` back, which reads as a
    counter's restart.
    """
    if not isinstance(cached, functools._lru_cache_wrapper):
        raise UnsupportedError(f"{cached!r} is not cached by functools.lru_cache; decorate it first")
    if bind.in_place:
        with bind(cached) as binding:
            binding.pulls(CacheReader(cached, _read))
        return cached
    load, time = timed_load(loader(cached, gc.get_referents(cached)))
    drop_in = functools.lru_cache(_info(cached).maxsize, _typed(cached))(load)
    vars(drop_in).update(vars(cached))  # the name, the documentation, and what the user has set
    with bind(drop_in, owned=cached, is_drop_in=True) as binding:
        binding.pulls(CacheReader(drop_in, _read))
        time(binding)
    return drop_in


def _read(cached: Any) -> CacheState:
    hits, misses, limit, entries = _info(cached)
    return CacheState(hits=hits, misses=misses, limit=limit, entries=entries)


def _typed(cached: Any) -> bool:
    """Whether the cache tells 3 from 3.0.

    Only `cache_parameters()` says so. A cached function around another one has the `cache_parameters` of the
    inner, because `update_wrapper` copies it. Then a call with a key that cannot be hashed shows it: the
    cache builds the key and gives up, so it counts nothing and calls no function.
    """
    told = vars(cached).get("cache_parameters")
    if told is not None and told is not getattr(cached.__wrapped__, "cache_parameters", None):
        return bool(told()["typed"])
    if _info(cached).maxsize == 0:  # this cache builds no keys
        return False
    key = _Key()
    with suppress(_KeySeenError):
        cached(key)
    return key.typed


class _KeySeenError(Exception):
    """Ends the call of a cached function before it looks anything up."""


class _Key:
    """An argument that looks at the key which a cache builds from it."""

    typed = False

    def __hash__(self) -> int:
        # The key holds the arguments; where the cache is typed, their classes too.
        keys = [each for each in gc.get_referrers(self) if type(each) is tuple]
        self.typed = any(_Key in [part for part in key if isinstance(part, type)] for key in keys)
        raise _KeySeenError
