"""MappingMethods: what counts the lookups, loads and removals of any cache that is a mapping."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from manometer.instrumentation.cache.adapter import CacheEvents
from manometer.instrumentation.cache.amid import Amid
from manometer.instrumentation.cache.mapping_lookups import lookups
from manometer.instrumentation.graft import Methods

__all__ = ["MappingMethods"]


@dataclass(frozen=True, kw_only=True)
class MappingMethods:
    """The `methods` of a `CacheAdapter` for caches that are mappings.

        cache = CacheAdapter(takes=foo.Cache, read=read, methods=MappingMethods(evict="popitem", expire="expire"))

    `cache[key]` and `get` are lookups, and no other call is one. A miss raises KeyError, or loads the value by the
    class's `__missing__`; then loads are timed. What `clear` removes is counted.
    evict: the method that removes one entry to make room. expire: the one that removes what is too old.
    entries: how many entries the cache holds, with those that are too old and not yet removed.
    library: the library's own class, where only its `get`, `pop`, `setdefault`, `update`, `clear` and views read
    entries through `self[key]`, and its `__missing__` loads nothing. It spares each write a wrapper.
    """

    evict: str = ""
    expire: str = ""
    entries: Callable[[Any], int] = len
    library: type = object

    def __call__(self, plain: Any, events: CacheEvents) -> Methods:
        """The methods that count, for a cache of that class."""
        removing = [name for name in (self.evict, self.expire) if name]
        quiet = lookups(plain, self.library, removing, events)
        clearing = Amid()
        methods = quiet | self._clear(plain, quiet, events, clearing)
        if self.evict and hasattr(plain, self.evict):
            methods |= self._evict(plain, quiet, events, clearing)
        if self.expire and hasattr(plain, self.expire):
            methods |= self._expire(plain, quiet, events, clearing)
        return methods

    # Each of these builds on the quiet methods, in which no read counts as a lookup.

    def _clear(self, plain: Any, quiet: Methods, events: CacheEvents, clearing: Amid) -> Methods:
        if not hasattr(plain, "clear"):
            return {}
        _, cleared = events.evictions("cleared")
        count, clear_all = self.entries, clearing.within(quiet["clear"])

        def clear(self: Any, /, *args: Any, **kwargs: Any) -> None:
            entries = count(self)
            try:
                clear_all(self, *args, **kwargs)
            finally:
                if (gone := entries - count(self)) > 0 and not clearing.holds():
                    cleared(gone)

        return {"clear": clear}

    def _evict(self, plain: Any, quiet: Methods, events: CacheEvents, clearing: Amid) -> Methods:
        evicted, _ = events.evictions("capacity")
        make_room = quiet.get(self.evict, getattr(plain, self.evict))

        def evict(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            item = make_room(self, *args, **kwargs)
            if not clearing.holds():  # it may remove each entry by this method
                evicted()
            return item

        return {self.evict: evict}

    def _expire(self, plain: Any, quiet: Methods, events: CacheEvents, clearing: Amid) -> Methods:
        expired_one, expired = events.evictions("expired")
        count, drop = self.entries, quiet.get(self.expire, getattr(plain, self.expire))
        remove = quiet.get("__delitem__", plain.__delitem__)

        def expire(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            entries = count(self)
            found = drop(self, *args, **kwargs)
            if (gone := entries - count(self)) > 0 and not clearing.holds():
                expired(gone)
            return found

        def __delitem__(self: Any, key: Any) -> None:
            entries = count(self)
            try:
                remove(self, key)
            except KeyError:  # no such key, or an entry too old, which is removed all the same
                if count(self) < entries:
                    expired_one()
                raise

        return {self.expire: expire, "__delitem__": __delitem__}
