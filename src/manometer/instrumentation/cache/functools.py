"""functools.lru_cache: everything but the loads is read off `cache_info()`; a hit costs nothing."""

import functools
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry

from manometer.catalogue import cache as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.cache.loads import Relay
from manometer.meters.catalogued import Pulled

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
        binding.pulls(_read)
        relay.time(binding)
    return drop_in


def _read(cached: Any) -> Iterable[Pulled]:
    hits, misses, limit, entries = cached.cache_info()
    yield rows.REQUESTS, {"result": "hit"}, hits
    yield rows.REQUESTS, {"result": "miss"}, misses
    yield rows.ENTRIES, {}, entries
    if limit is not None:
        yield rows.ENTRIES_LIMIT, {}, limit
