"""Every adapter of a cache keeps to the contract of caches."""

import functools

import async_lru
import cachebox
import cachetools
import diskcache
import pytest

from manometer import instrument_cache
from manometer.testing import CacheContract


def tenfold(key):
    """Ten times the key."""
    return key * 10


class Loading(cachetools.LRUCache):
    """A cache that fills itself."""

    def __missing__(self, key):
        self[key] = value = tenfold(key)
        return value


class TestCachetoolsCache(CacheContract):
    """A cache that the program fills."""

    tells = ("lookups", "hits", "entries", "limit", "evictions")

    def make(self):
        return cachetools.LRUCache(2)

    def look_up(self, cache, key):
        value = cache.get(key)
        if value is None:
            cache[key] = value = tenfold(key)
        return value


class TestCachetoolsLoadingCache(CacheContract):
    """A cache that fills itself."""

    tells = ("lookups", "hits", "entries", "limit", "evictions", "loads")

    def make(self):
        return Loading(2)

    def look_up(self, cache, key):
        return cache[key]


class TestCachetoolsFunction(TestCachetoolsLoadingCache):
    """A function that is cached."""

    def make(self):
        return cachetools.cached(cachetools.LRUCache(2))(tenfold)

    def look_up(self, cache, key):
        return cache(key)


class TestLruCache(CacheContract):
    """A function of the standard library, measured where it is."""

    tells = ("lookups", "entries", "limit")

    def make(self):
        return functools.lru_cache(2)(tenfold)

    def look_up(self, cache, key):
        return cache(key)


class TestDecoratedLruCache(TestLruCache):
    """The same, decorated."""

    tells = ("lookups", "entries", "limit", "loads")

    def instrument(self, target, name, figures):
        return instrument_cache(name=name, registry=figures.registry)(target)


class TestAsyncLru(CacheContract):
    """A function of coroutines, measured where it is."""

    tells = ("lookups", "entries", "limit")

    def make(self):
        @async_lru.alru_cache(maxsize=2)
        async def later(key):
            return tenfold(key)

        return later

    def look_up(self, cache, key):
        return cache(key)


class TestCacheboxFunction(CacheContract):
    """A function that cachebox has cached, measured where it is."""

    tells = ("lookups", "entries", "limit")

    def make(self):
        return cachebox.cached(cachebox.LRUCache(2))(tenfold)

    def look_up(self, cache, key):
        return cache(key)


class TestDiskcache(CacheContract):
    """A cache on disk, of two entries of 100 kB."""

    tells = ("lookups", "evictions")

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path_factory):
        """Where they are."""
        self.new_folder = lambda: tmp_path_factory.mktemp("cache")

    def make(self):
        cache = diskcache.Cache(self.new_folder(), cull_limit=1)
        cache.reset("size_limit", cache.volume() + 250_000)
        return cache

    def look_up(self, cache, key):
        value = cache.get(key)
        if value is None:
            cache[key] = value = (tenfold(key), bytes(100_000))
        return value[0]

    def dispose(self, target):
        target.close()
