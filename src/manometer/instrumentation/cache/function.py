"""CachedFunctionAdapter: functions that a library caches, each measured by a drop-in whose loads are timed."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.cache.adapter import CacheAdapter, itself
from manometer.instrumentation.cache.loads import timed_load

__all__ = ["CachedFunctionAdapter"]


def held_by(cached: Any) -> Iterable[object]:
    """What a cached function holds besides its `__wrapped__`, where it is no compiled object."""
    if isinstance(cached, FunctionType):
        return [cell.cell_contents for cell in cached.__closure__ or ()]
    return [value for name, value in vars(cached).items() if name != "__wrapped__"]


@dataclass(frozen=True, kw_only=True)
class CachedFunctionAdapter:
    """The adapter of the functions that a library caches.

        cache = CachedFunctionAdapter(caches=caches, cache_of=lambda each: each.cache, decorator=again)

    A cached function calls the function that it was made with, so the program gets a drop-in: the same function,
    cached anew. The drop-in calls the function through a timer.
    decorator: given a cached function, the decorator that made it, of the same settings and on the same cache object.
    caches: the adapter of the cache objects; where a function is its own cache, of the functions.
    cache_of: the cache object of a cached function.
    held: the objects that a cached function holds, the function that it calls among them; its attribute
    `__wrapped__`, which anyone may set, does not count.
    """

    decorator: Callable[[Any], Callable[[Any], Any]]
    caches: CacheAdapter[Any]
    cache_of: Callable[[Any], Any] = itself
    held: Callable[[Any], Iterable[object]] = held_by

    def __call__(self, cached: Any, bind: Bind) -> Any:
        """A drop-in for the cached function, with its attributes.

        Raises UnsupportedError for what the decorator did not make, such as another decorator around a cached
        function that took over its attributes.
        """
        function = getattr(cached, "__wrapped__", None)
        if function is None:
            raise UnsupportedError(f"{cached!r} has no __wrapped__ that names the function which it caches")
        decorator = self.decorator(cached)
        if _kind(cached) != _kind(decorator(function)):
            raise UnsupportedError(f"{cached!r} is not what its library returned; pass the cache object itself")
        if not any(each is function for each in self.held(cached)):
            raise UnsupportedError(
                f"{cached!r} caches another function than its __wrapped__ says; cache that one instead"
            )
        load, time = timed_load(function)
        drop_in = decorator(load)
        for attribute, value in vars(cached).items():
            vars(drop_in).setdefault(attribute, value)
        functools.update_wrapper(drop_in, cached, updated=())
        drop_in.__wrapped__ = function
        with bind(drop_in, owned=self.cache_of(cached), is_drop_in=True) as binding:
            self.caches.counts(binding, self.cache_of)
            time(binding)
        return drop_in


def _kind(cached: Any) -> tuple[type, Any]:
    """What a decorator made: an object of a class of its library, or a function of the decorator's code."""
    return type(cached), getattr(cached, "__code__", None)
