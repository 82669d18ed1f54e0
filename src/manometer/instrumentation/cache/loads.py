"""Timing what a miss costs, for every kind of cache that loads by calling a function."""

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

from manometer.instrumentation.binding import Binding

__all__ = ["Relay", "timed_load"]

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


class Relay:
    """Stands in for a function that a cache is built around, so that its loads can be timed and left alone again.

    A drop-in cache has to be there before it can be bound, and bound before its loads can be timed.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = self._load = function

    @property
    def stand_in(self) -> Callable[..., Any]:
        """What to build the drop-in around; it looks like the function."""

        @functools.wraps(self._function)
        def load(*args: Any, **kwargs: Any) -> Any:
            return self._load(*args, **kwargs)

        return load

    def time(self, binding: Binding) -> None:
        """Time the loads, until the binding closes."""
        self._load = timed_load(binding, self._function)
        binding.undoes(lambda _: setattr(self, "_load", self._function))
