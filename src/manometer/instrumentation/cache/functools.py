"""functools.lru_cache: everything but the loads is read off `cache_info()`; a hit costs nothing."""

import functools
import weakref
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry

from manometer.catalogue import cache as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.cache.loads import Relay
from manometer.meters.catalogued import Pulled
from manometer.meters.fork import renewed_in_child

__all__ = ["instrument"]


def instrument(cached: Any, *, name: str, registry: CollectorRegistry) -> Any:
    """A new `lru_cache` of the same parameters around the same function, its loads timed.

    The C cache calls the function that it was built with, so timing the loads takes a new one; it
    starts empty. `cache_clear` sets `cache_info()` back, which reads as a counter's restart.
    """
    if not isinstance(cached, functools._lru_cache_wrapper):
        raise UnsupportedError(f"{cached!r} is not cached by functools.lru_cache; decorate it first")
    function = cached.__wrapped__
    relay = Relay(function)
    drop_in = functools.update_wrapper(functools.lru_cache(**cached.cache_parameters())(relay.stand_in), function)
    with Subject.on(registry, "cache").binding(drop_in, cache=name) as binding:
        binding.pulls(_Lookups(drop_in).read)
        relay.time(binding)
    return drop_in


class _Lookups:
    """What `cache_info()` says, less the lookups that were a parent's before it forked this process."""

    def __init__(self, cached: Any) -> None:
        self._cached = weakref.ref(cached)
        self._hits = self._misses = 0
        renewed_in_child(self)

    def renew(self) -> None:
        """Count from here."""
        cached = self._cached()
        if cached is not None:
            self._hits, self._misses, _, _ = cached.cache_info()

    def read(self, cached: Any) -> Iterable[Pulled]:
        hits, misses, limit, entries = cached.cache_info()
        if hits < self._hits or misses < self._misses:  # the cache was cleared, and its counts with it
            self._hits = self._misses = 0
        yield rows.REQUESTS, {"result": "hit"}, hits - self._hits
        yield rows.REQUESTS, {"result": "miss"}, misses - self._misses
        yield rows.ENTRIES, {}, entries
        if limit is not None:
            yield rows.ENTRIES_LIMIT, {}, limit
