"""Timing what a miss costs, for every kind of cache that loads by calling a function."""

from collections.abc import Callable
from functools import wraps
from time import perf_counter
from typing import Any

from manometer.instrumentation.binding import Binding
from manometer.instrumentation.cache.adapter import CacheEvents

__all__ = ["timed_load"]


def timed_load(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[[Binding], None]]:
    """A stand-in that calls the function, and what starts its timing on a binding, until that closes.

    A drop-in must exist before its binding, and its binding before its series: so the timing starts later.
    The stand-in does both in one frame, because a memoised recursion pays for each frame with its depth.
    """
    clock: Callable[[], float] = perf_counter
    ok: Callable[[float], object] = _unmeasured
    error: Callable[[float], object] = _unmeasured

    @wraps(function)  # a decorator may take over its attributes
    def load(*args: Any, **kwargs: Any) -> Any:
        started = clock()
        try:
            value = function(*args, **kwargs)
        except BaseException:
            error(clock() - started)
            raise
        ok(clock() - started)
        return value

    def time(binding: Binding) -> None:
        nonlocal clock, ok, error
        events = CacheEvents(binding)
        clock, (ok, error) = events.clock, events.loads()
        binding.undoes(stop)

    def stop(_target: object) -> None:
        nonlocal ok, error
        ok = error = _unmeasured

    return load, time


def _unmeasured(_seconds: float) -> None:
    """Where a load's time goes while nobody measures it."""
