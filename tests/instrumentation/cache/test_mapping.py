"""Caches of other libraries that are mappings, and functions that these cache, measured by a declaration."""

import functools
from collections import OrderedDict, UserDict
from collections.abc import MutableMapping
from operator import attrgetter

import pytest

from manometer.adapter import (
    Bind,
    Binding,
    CacheAdapter,
    CachedFunctionAdapter,
    CacheEvents,
    CacheState,
    MappingMethods,
)
from manometer.instrumentation.subject import Subject
from manometer.testing import CacheContract, Figures, ManualClock


class Compiled(OrderedDict):
    """A cache on top of a class of compiled code, most of whose methods call none of its own."""

    limit = 2

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        if len(self) > self.limit:
            self.make_room()

    def make_room(self):
        self.popitem(last=False)


class Plain(UserDict):
    """A cache on top of a class of Python code."""

    limit = 2

    def __setitem__(self, key, value):
        if key not in self and len(self) == self.limit:
            self.make_room()
        super().__setitem__(key, value)

    def make_room(self):
        del self[next(iter(self))]


class Abstract(MutableMapping):
    """A cache whose other methods the abstract class builds of a few, and that looks up before it writes."""

    limit = 2

    def __init__(self):
        self.kept = {}

    def __getitem__(self, key):
        return self.kept[key]

    def __setitem__(self, key, value):
        if self.get(key) is None and len(self) == self.limit:
            self.make_room()
        self.kept[key] = value

    def __delitem__(self, key):
        del self.kept[key]

    def __iter__(self):
        return iter(self.kept)

    def __len__(self):
        return len(self.kept)

    def make_room(self):
        self.popitem()


class Loading(Compiled):
    """A cache that loads what is missing."""

    def __missing__(self, key):
        self[key] = value = key * 10
        return value


KINDS = [Compiled, Plain, Abstract]

measure = CacheAdapter(
    takes=(Compiled, Plain, Abstract),
    read=lambda cache: CacheState(entries=len(cache), limit=cache.limit),
    methods=MappingMethods(evict="make_room"),
)


def bind(figures, name="c"):
    """What ties a cache to its series, on the registry of these figures."""
    return Bind(Subject.on(figures.registry, "cache"), {"cache.name": name})


class OfMappings(CacheContract):
    """What they have in common."""

    tells = ("lookups", "hits", "entries", "limit", "evictions")

    def instrument(self, target, name, figures):
        return measure(target, bind(figures, name))

    def look_up(self, cache, key):
        value = cache.get(key)
        if value is None:
            cache[key] = value = key * 10
        return value


class TestCompiled(OfMappings):
    """`get` asks no method of the class."""

    make = Compiled


class TestPlain(OfMappings):
    """`get` asks methods of the class."""

    make = Plain


class TestAbstract(OfMappings):
    """Writes look up, too."""

    make = Abstract


class TestLoading(OfMappings):
    """A miss is a load."""

    tells = ("lookups", "hits", "entries", "limit", "evictions", "loads")
    make = Loading

    def look_up(self, cache, key):
        return cache[key]


@pytest.mark.parametrize("kind", KINDS)
def test_a_lookup_counts_once_and_nothing_else_is_one(kind):
    """By `cache[key]` and `get`, with what the class does for itself left out."""
    figures = Figures()
    cache = measure(kind(), bind(figures))
    cache[1] = 10
    assert (cache[1], cache.get(1), cache.get(1, 2), cache.get(3, 4), cache.get(3)) == (10, 10, 10, 4, None)
    for absent in (5, 6):
        with pytest.raises(KeyError):
            cache[absent]
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 3, "miss": 4}
    with figures.changes() as changes:
        assert 1 in cache
        assert (list(cache.items()), list(cache.values())) == ([(1, 10)], [10])
        assert (cache.setdefault(1, 0), cache.pop(1), cache.pop(1, 7)) == (10, 10, 7)
        cache.update({2: 20})
        cache.clear()
    assert changes.all("cache_requests_total", "cache_request_type") == {}
    assert figures.all("cache_evictions_total", "cache_eviction_cause") == {"capacity": 0, "cleared": 1}


class Optional(Plain):
    """A cache whose lookups take more than a key."""

    def __getitem__(self, key, sign=1):
        return sign * super().__getitem__(key)

    def get(self, key, default=None, *, sign=1):
        try:
            return self.__getitem__(key, sign)
        except KeyError:
            return default


class OptionalLoading(Optional):
    """One that loads, besides."""

    def __missing__(self, key):
        return 0


def test_a_lookup_may_take_more_than_a_key():
    """What the program passes goes through."""
    figures = Figures()
    cache = measure(Optional(), bind(figures))
    cache[1] = 10
    assert (cache[1], cache.get(1, sign=-1), cache.__getitem__(1, -1), cache.get(2)) == (10, -10, -10, None)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 3, "miss": 1}
    loading = measure(OptionalLoading(), bind(figures))
    assert (loading.get(1, sign=-1), loading.__getitem__(2, sign=2)) == (0, 0)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 0, "miss": 2}


class Ageing(Plain):
    """A cache whose entries get too old, once they are told to be."""

    limit = 9

    def __init__(self):
        self.old = set()
        super().__init__()

    def __delitem__(self, key):
        super().__delitem__(key)
        if key in self.old:
            raise KeyError(key)

    def drop(self):
        for key in self.old & self.keys():
            super().__delitem__(key)


def test_what_is_too_old_expires():
    """As the cache drops it, or as the program removes it."""
    measure = CacheAdapter(takes=Ageing, read=lambda _: CacheState(), methods=MappingMethods(expire="drop"))
    figures = Figures()
    cache = measure(Ageing(), bind(figures))
    cache.update({1: 1, 2: 2, 3: 3, 4: 4})
    cache.old = {1, 2, 3}
    with pytest.raises(KeyError):
        del cache[1]
    del cache[4]
    assert figures.all("cache_evictions_total", "cache_eviction_cause") == {"expired": 1, "cleared": 0}
    cache.drop()
    assert figures.all("cache_evictions_total", "cache_eviction_cause") == {"expired": 3, "cleared": 0}


def memoised(cache):
    """A decorator of another library: a function that keeps its results in a mapping."""

    def decorate(function):
        @functools.wraps(function)
        def call(key):
            try:
                return cache[key]
            except KeyError:
                cache[key] = value = function(key)
                return value

        call.memory = cache
        return call

    return decorate


measure_function = CachedFunctionAdapter(
    decorator=lambda each: memoised(each.memory), caches=measure, cache_of=attrgetter("memory")
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_is_measured_with_the_cache_that_it_fills(kind):
    """The drop-in goes on with what is cached already, and its loads are timed."""

    @memoised(kind())
    def tenfold(key):
        return key * 10

    tenfold.version = 3
    assert tenfold(1) == 10
    figures = Figures()
    drop_in = measure_function(tenfold, bind(figures))
    assert (drop_in(1), drop_in(2), drop_in.memory, drop_in.version) == (10, 20, tenfold.memory, 3)
    assert drop_in.__wrapped__ is tenfold.__wrapped__
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 1}
    assert figures.all("cache_load_duration_seconds_count", "cache_load_outcome") == {"ok": 1, "error": 0}
    assert figures("cache_entries") == 2
    Binding.of(drop_in).close()
    assert type(tenfold.memory) is kind


@pytest.mark.parametrize("kind", [*KINDS, Loading])
def test_one_hit_in_many_is_timed(kind):
    """Of lookups by `cache[key]`, the second, and then one in 1,024."""
    figures = Figures()
    cache = measure(kind(), bind(figures))
    cache[1] = 10
    with figures.changes() as changes:
        for _ in range(1024 + 1024):
            cache[1]
    assert changes("cache_hit_duration_seconds_count") == 2


def test_a_hit_takes_the_time_that_the_cache_takes():
    """By the clock of the registry."""
    clock = ManualClock()

    class Slow(Plain):
        def __getitem__(self, key):
            clock.advance(0.25)
            return super().__getitem__(key)

    figures = Figures(clock=clock)
    cache = measure(Slow(), bind(figures))
    cache[1] = 10
    for _ in range(3):
        cache[1]
    assert (figures("cache_hit_duration_seconds_count"), figures("cache_hit_duration_seconds_sum")) == (1, 0.25)


@pytest.mark.parametrize("kind", [*KINDS, Loading])
def test_a_stack_without_room_for_the_time_has_room_for_the_hit(kind, monkeypatch):
    """The program's lookup succeeds, and is counted."""

    def full(seconds):
        raise RecursionError

    monkeypatch.setattr(CacheEvents, "hit_times", lambda events: (lambda: True, full))
    figures = Figures()
    cache = measure(kind(), bind(figures))
    cache[1] = 10
    assert (cache[1], cache.get(1)) == (10, 10)
    assert figures("cache_requests_total", cache_request_type="hit") == 2
