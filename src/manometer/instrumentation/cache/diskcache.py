"""diskcache: caches on disk. What another process does with the same folder is not seen here, and not counted."""

from typing import Any, Literal

from diskcache import Cache  # type: ignore[import-untyped]

from manometer.instrumentation.cache.adapter import CacheAdapter, CacheEvents, CacheState
from manometer.instrumentation.graft import Methods

__all__ = ["cache"]

_MISSING = object()


def _methods(plain: Any, events: CacheEvents) -> Methods:
    hit, miss = events.lookups()
    causes: tuple[Literal["capacity", "expired", "cleared"], ...] = ("capacity", "expired", "cleared")
    (made_room, _), (expired, expired_many), (_, cleared_many) = map(events.evictions, causes)

    def get(
        self: Any,
        key: Any,
        default: Any = None,
        read: Any = False,
        expire_time: Any = False,
        tag: Any = False,
        **more: Any,
    ) -> Any:
        found = plain.get(self, key, _MISSING, read, expire_time, tag, **more)
        value, *rest = found if expire_time or tag else (found,)
        if value is not _MISSING:
            hit()
            return found
        miss()
        return (default, *rest) if rest else default

    def _cull(self: Any, now: Any, sql: Any, cleanup: Any, *more: Any) -> Any:
        """The cache drops what is too old first, and then what it has no room for; each statement says which."""
        last = ""

        def asked(statement: str, *arguments: Any) -> Any:
            nonlocal last
            last = statement
            return sql(statement, *arguments)

        def dropped(filename: Any) -> Any:
            (expired if "expire_time IS NOT NULL" in last else made_room)()
            return cleanup(filename)

        return plain._cull(self, now, asked, dropped, *more)

    def expire(self: Any, *args: Any, **kwargs: Any) -> Any:
        number = plain.expire(self, *args, **kwargs)
        expired_many(number)
        return number

    def clear(self: Any, *args: Any, **kwargs: Any) -> Any:
        number = plain.clear(self, *args, **kwargs)
        cleared_many(number)
        return number

    return {"get": get, "_cull": _cull, "expire": expire, "clear": clear}


# How many entries there are takes a query, which a collection is not to wait for.
cache: CacheAdapter[Any] = CacheAdapter(takes=Cache, read=lambda _: CacheState(), methods=_methods)
