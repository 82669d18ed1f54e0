"""The contract of caches."""

from typing import Any, ClassVar

from manometer.catalogue import cache as rows
from manometer.instrumentation.cache import instrument_cache
from manometer.testing.contract import Contract, equal, given
from manometer.testing.figures import Figures

__all__ = ["CacheContract"]


class CacheContract(Contract):
    """What an instrumented cache keeps to.

        class TestFooCache(CacheContract):
            tells = ("lookups", "hits", "entries", "limit", "evictions")

            def make(self):
                return foo.Cache(2)

            def look_up(self, cache, key):
                return cache.get_or_set(key, lambda: key * 10)

    make: a cache for at most two entries.
    tells: of `lookups`, `hits` (how long some take), `entries`, `limit`, `evictions` and `loads`, those that the
    adapter tells.
    makes_room: whether the adapter tells that an entry left to make room; False for one that tells only of entries
    that expired, or were cleared.
    """

    makes_room: ClassVar[bool] = True
    subject = "cache"
    name_attribute = "cache.name"
    rows: ClassVar = {
        "lookups": rows.REQUESTS,
        "hits": rows.HIT_DURATION,
        "entries": rows.ENTRIES,
        "limit": rows.ENTRY_LIMIT,
        "evictions": rows.EVICTIONS,
        "loads": rows.LOAD_DURATION,
    }

    def look_up(self, cache: Any, key: int) -> Any:
        """Look the key up once, and put ten times the key into the cache where it is missing; return the value."""
        raise NotImplementedError

    def instrument(self, target: Any, name: str, figures: Figures) -> Any:
        """Measure the cache."""
        return instrument_cache(target, name=name, registry=figures.registry)

    def use(self, target: Any) -> Any:
        """Look up a key."""
        return self.look_up(target, 2)

    def test_lookups_loads_entries_and_evictions_are_told(self) -> None:
        """Two hits and three misses, each of which loads; the third load makes an entry leave."""
        self._run(self._counts)

    async def _counts(self, figures: Figures) -> None:
        cache = self.instrument(await given(self.make()), "tried", figures)
        found = [await given(self.look_up(cache, key)) for key in (2, 2, 4, 2, 6)]
        equal(found, [20, 20, 40, 20, 60], "the values that lookups return")
        expected = {
            "lookups": {"hit": 2, "miss": 3},
            "hits": 1,
            "loads": {"ok": 3, "error": 0},
            "entries": 2,
            "limit": 2,
            "evictions": int(self.makes_room),
        }
        told = {
            "lookups": figures.all(rows.REQUESTS.prometheus_name, "cache_request_type"),
            "loads": figures.all(rows.LOAD_DURATION.prometheus_name + "_count", "cache_load_outcome"),
            "hits": figures(rows.HIT_DURATION.prometheus_name + "_count"),
            "entries": self._value(figures, "entries"),
            "limit": self._value(figures, "limit"),
            "evictions": sum(figures.all(rows.EVICTIONS.prometheus_name, "cache_eviction_cause").values()),
        }
        for word in self.tells:
            equal(told[word], expected[word], word)
        await given(self.dispose(cache))
