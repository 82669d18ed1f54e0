"""async_lru: functions whose answers are cached; everything but the loads is read off `cache_info()`."""

from typing import Any

from async_lru import _LRUCacheWrapper

from manometer.instrumentation.cache.adapter import CacheAdapter, CacheState

__all__ = ["cache"]


def _read(cached: Any) -> CacheState:
    hits, misses, limit, entries = cached.cache_info()
    return CacheState(hits=hits, misses=misses, limit=limit, entries=entries)


cache: CacheAdapter[Any] = CacheAdapter(takes=_LRUCacheWrapper, read=_read)
