"""cachebox: functions that it caches; everything but the loads is read off `cache_info()`."""

from types import FunctionType
from typing import Any

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.cache.adapter import CacheAdapter, CacheState

__all__ = ["cache"]


def _read(cached: Any) -> CacheState:
    told = cached.cache_info()
    return CacheState(hits=told.hits, misses=told.misses, limit=told.maxsize or None, entries=told.length)


_functions: CacheAdapter[Any] = CacheAdapter(takes=FunctionType, read=_read)


def cache(cached: Any, bind: Bind) -> Any:
    """Read what the function tells of itself. A cache object counts nothing, and its class takes no other methods."""
    if not hasattr(cached, "cache_info"):
        raise UnsupportedError(f"{cached!r} does not tell its hits; pass a function that cachebox.cached has made")
    return _functions(cached, bind)
