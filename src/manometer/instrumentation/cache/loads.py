"""Timing what a miss costs, for every kind of cache that loads by calling a function."""

import functools
from collections.abc import Callable
from time import perf_counter
from typing import ParamSpec, TypeVar

from manometer.instrumentation.binding import Binding

__all__ = ["timed_load"]

P = ParamSpec("P")
R = TypeVar("R")


def timed_load(binding: Binding, load: Callable[P, R]) -> Callable[P, R]:
    """`load`, with the time of each call in `cache_load_duration_seconds` by its outcome."""
    ok = binding.histogram("cache.load.duration", outcome="ok").observe
    error = binding.histogram("cache.load.duration", outcome="error").observe

    @functools.wraps(load)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        started = perf_counter()
        try:
            value = load(*args, **kwargs)
        except BaseException:
            error(perf_counter() - started)
            raise
        ok(perf_counter() - started)
        return value

    return timed
