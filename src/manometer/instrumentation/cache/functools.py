"""functools.lru_cache: everything but the loads is read off `cache_info()`; a hit costs nothing."""

import functools
import gc
import weakref
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry

from manometer.catalogue import cache as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.cache.loads import loader, timed_load
from manometer.meters.fork import Forked, renewed_in_child
from manometer.registry.catalogued import Pulled

__all__ = ["instrument"]

# Of the class: the attribute of that name may be of another cached function, which this one caches.
_info = functools._lru_cache_wrapper.cache_info


def instrument(cached: Any, *, name: str, registry: CollectorRegistry) -> Any:
    """A new `lru_cache` of the same parameters around the same function, its loads timed.

    The C cache calls the function that it was built with, so timing the loads takes a new one; it
    starts empty. `cache_clear` sets `cache_info()` back, which reads as a counter's restart.
    """
    if not isinstance(cached, functools._lru_cache_wrapper):
        raise UnsupportedError(f"{cached!r} is not cached by functools.lru_cache; decorate it first")
    load, time = timed_load(loader(cached, gc.get_referents(cached)))
    drop_in = functools.lru_cache(_info(cached).maxsize, _typed(cached))(load)
    vars(drop_in).update(vars(cached))  # the name, the documentation, and what the user has set
    with Subject.on(registry, "cache").binding(drop_in, {"cache.name": name}) as binding:
        binding.pulls(_Lookups(drop_in).read)
        time(binding)
    return drop_in


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


class _Lookups:
    """What `cache_info()` says, less the lookups that were a parent's before it forked this process."""

    def __init__(self, cached: Any) -> None:
        self._cached = weakref.ref(cached)
        self._hits = self._misses = 0
        renewed_in_child(self)

    def renew(self, forked: Forked) -> None:
        """Count from here, where all lookups so far were the parent's."""
        cached = self._cached()
        if cached is not None and forked is Forked.AT_ONCE:
            self._hits, self._misses, _, _ = _info(cached)

    def read(self, cached: Any) -> Iterable[Pulled]:
        hits, misses, limit, entries = _info(cached)
        if hits < self._hits or misses < self._misses:  # the cache was cleared, and its counts with it
            self._hits = self._misses = 0
        yield rows.REQUESTS, {"cache.request.type": "hit"}, hits - self._hits
        yield rows.REQUESTS, {"cache.request.type": "miss"}, misses - self._misses
        yield rows.ENTRIES, {}, entries
        if limit is not None:
            yield rows.ENTRY_LIMIT, {}, limit
