"""Every adapter of a cache keeps to the contract of caches."""

import functools

import cachetools

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
