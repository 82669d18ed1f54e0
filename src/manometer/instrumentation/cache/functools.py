"""functools.lru_cache: everything but the loads is read off `cache_info()`; a hit costs nothing."""

import functools
import gc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.cache.adapter import CacheAdapter, CacheState
from manometer.instrumentation.cache.function import CachedFunctionAdapter

__all__ = ["cache"]

# Of the class: the attribute of that name may be of another cached function, which this one caches.
_info = functools._lru_cache_wrapper.cache_info


def _read(cached: Any) -> CacheState:
    hits, misses, limit, entries = _info(cached)
    return CacheState(hits=hits, misses=misses, limit=limit, entries=entries)


def _decorator(cached: Any) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = functools.lru_cache(_info(cached).maxsize, _typed(cached))
    return made


_in_place = CacheAdapter(takes=functools._lru_cache_wrapper, read=_read)
_anew = CachedFunctionAdapter(decorator=_decorator, caches=_in_place, held=gc.get_referents)


def cache(cached: Any, bind: Bind) -> Any:
    """Read what the function tells of itself; where the program takes a drop-in, time the loads as well.

    The drop-in starts empty. `cache_clear` sets `cache_info()` back, which reads as a counter's restart.
    """
    if not isinstance(cached, functools._lru_cache_wrapper):
        raise UnsupportedError(f"{cached!r} is not cached by functools.lru_cache; decorate it first")
    return (_in_place if bind.in_place else _anew)(cached, bind)


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
