"""Timing what a miss costs, for every kind of cache that loads by calling a function."""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.cache.adapter import CacheEvents

__all__ = ["loader", "timed_load"]


def timed_load(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[[Binding], None]]:
    """A stand-in that calls the function, and what starts its timing on a binding, until that closes.

    A drop-in must exist before its binding, and its binding before its series: so the timing starts later.
    The stand-in does both in one frame, because a memoised recursion pays for each frame with its depth.
    """
    clock: Callable[[], float] = perf_counter
    ok: Callable[[float], object] = _unmeasured
    error: Callable[[float], object] = _unmeasured

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


def loader(cached: Any, held: Iterable[object]) -> Callable[..., Any]:
    """The function that a cached function calls on a miss; `held` are the objects that it holds.

    Decorators name the function in `__wrapped__`, but anyone may put another one there afterwards.
    Raises UnsupportedError where the cached function does not hold the named one.
    """
    named: Callable[..., Any] | None = getattr(cached, "__wrapped__", None)
    if named is None or not any(each is named for each in held):
        raise UnsupportedError(
            f"{cached!r} caches another function than its __wrapped__ says; cache that one instead"
        )
    return named


def _unmeasured(_seconds: float) -> None:
    """Where a load's time goes while nobody measures it."""
