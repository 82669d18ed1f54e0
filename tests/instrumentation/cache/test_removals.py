"""Each entry that leaves a cache is counted once, under what made it leave."""

import cachetools
import pytest

from manometer import Binding, instrument_cache


def causes(figures):
    """The evictions that are there, by their cause."""
    return {
        cause: count for cause, count in figures.all("cache_evictions_total", "cache_eviction_cause").items() if count
    }


def test_clearing_counts_each_entry_once(figures, cache_of, policy):
    """Whatever `clear` calls on its way, an entry is cleared and no more."""
    cache = instrument_cache(cache_of(policy), name="c", registry=figures.registry)
    cache.update({1: 1, 2: 2, 3: 3})
    cache.clear()
    assert len(cache) == 0
    assert causes(figures) == {"cleared": 3}
    cache[1] = 1
    cache.popitem()
    assert causes(figures) == {"cleared": 3, "capacity": 1}


@pytest.mark.parametrize(
    "touch",
    [
        lambda cache: cache.expire(),
        lambda cache: cache.expire(cache.timer()),
        len,
        repr,
        lambda cache: cache.__setitem__("new", 1),
        lambda cache: cache.__setitem__(1, 1),
        lambda cache: cache.pop(1, None) or len(cache),
        lambda cache: cache.currsize,
    ],
)
def test_an_entry_too_old_is_expired_whatever_drops_it(figures, cache_of, clock, timed_policy, touch):
    """Two of three entries are too old when the cache drops them."""
    cache = instrument_cache(cache_of(timed_policy, clock=clock), name="c", registry=figures.registry)
    cache.update({1: 1, 2: 2})
    clock.now = 5
    cache[3] = 3
    clock.now = 11
    touch(cache)
    assert causes(figures) == {"expired": 2}


def test_a_removal_that_finds_the_entry_too_old_is_an_expiry(figures, cache_of, clock, timed_policy):
    """`del` raises KeyError for it and removes it all the same; of a fresh one it is the caller's removal."""
    cache = instrument_cache(cache_of(timed_policy, clock=clock), name="c", registry=figures.registry)
    cache.update({1: 1, 2: 2})
    del cache[2]
    assert causes(figures) == {}
    clock.now = 11
    for _ in range(2):
        with pytest.raises(KeyError):
            del cache[1]
    assert causes(figures) == {"expired": 1}
    assert cachetools.Cache.__len__(cache) == 0


def test_clearing_counts_what_is_too_old_once(figures, cache_of, clock, timed_policy):
    """An entry that nobody has dropped yet is in the cache, and is cleared."""
    cache = instrument_cache(cache_of(timed_policy, clock=clock), name="c", registry=figures.registry)
    cache.update({1: 1, 2: 2})
    clock.now = 11
    cache.clear()
    assert causes(figures) == {"cleared": 2}


def test_a_value_that_is_too_old_as_it_comes_is_an_expiry(figures, clock):
    """It never enters the cache, whether there is an earlier value of its key or not."""
    cache = cachetools.TLRUCache(9, ttu=lambda key, value, now: now + value, timer=clock)
    instrument_cache(cache, name="c", registry=figures.registry)
    cache["a"] = 0
    assert "a" not in cache
    assert causes(figures) == {"expired": 1}
    cache["b"] = 5
    cache["b"] = 6
    assert causes(figures) == {"expired": 1}
    cache["b"] = 0
    assert causes(figures) == {"expired": 2}


def test_a_value_without_time_to_live_is_an_expiry(figures, clock):
    """A TTLCache keeps it until it is dropped."""
    cache = instrument_cache(cachetools.TTLCache(9, 0, timer=clock), name="c", registry=figures.registry)
    cache["a"] = 1
    cache["b"] = 1
    assert len(cache) == 0
    assert causes(figures) == {"expired": 2}


def test_a_value_too_large_is_no_eviction(figures, cache_of, policy):
    """It is refused and nothing leaves."""
    cache = instrument_cache(cache_of(policy, getsizeof=lambda value: value), name="c", registry=figures.registry)
    with pytest.raises(ValueError, match="too large"):
        cache[1] = 10
    assert causes(figures) == {}
    cache[1] = 9
    cache[2] = 9
    assert causes(figures) == {"capacity": 1}


class Drawer(cachetools.TTLCache):
    """A cache of a user's own, whose methods take more than the library's and call each other."""

    def popitem(self, place=0, *, before=0):
        key = list(self)[place - before]
        return key, self.pop(key)

    def expire(self, time=None, *, sparing=()):
        kept = {key: self[key] for key in sparing}
        super().expire(time)
        self.update(kept)

    def clear(self, spared=(), *, twice=False, filled=()):
        self.expire()
        if twice:
            self.clear(spared)
        for key in set(self) - set(spared):
            del self[key]
        self.update(filled)


def drawer(figures, clock, **entries):
    """A cache of that class with these entries."""
    cache = instrument_cache(Drawer(9, 10, timer=clock), name="c", registry=figures.registry)
    cache.update(entries)
    return cache


def test_a_users_own_removals_get_their_arguments(figures, clock):
    """By position and by name."""
    cache = drawer(figures, clock, a=1, b=2, c=3, d=4)
    assert cache.popitem(2, before=1) == ("b", 2)
    cache.clear(["a", "c"])
    assert list(cache) == ["a", "c"]
    cache.clear(spared=["a"])
    assert list(cache) == ["a"]
    clock.now = 9
    cache["z"] = 26
    cache.expire(15)
    assert causes(figures) == {"capacity": 1, "cleared": 2, "expired": 1}
    cache.expire(99, sparing=["z"])
    assert list(cache) == ["z"]


def test_a_clear_that_calls_others_counts_each_entry_once(figures, clock):
    """As cleared, whichever of the calls removes the entry; what the program keeps is not counted."""
    cache = drawer(figures, clock, a=1, b=2)
    clock.now = 11
    cache.update(c=3, d=4)
    clock.now = 20
    cache.update(e=5, f=6)
    clock.now = 22
    cache.clear(["e"], twice=True)
    assert list(cache) == ["e"]
    assert causes(figures) == {"cleared": 3, "expired": 2}


def test_a_clear_that_fills_the_cache_clears_nothing(figures, clock):
    """There are more entries afterwards than before: that is no reason to fail."""
    cache = drawer(figures, clock, a=1)
    cache.clear(filled={"b": 2, "c": 3})
    assert list(cache) == ["b", "c"]
    assert causes(figures) == {}


def test_a_cache_without_a_time_to_live_tells_no_expiries(figures, cache_of, policy):
    """What a cache never does has no series, and no zero."""
    cache = instrument_cache(cache_of(policy), name="c", registry=figures.registry)
    timed = policy in ("TTLCache", "TLRUCache")
    assert hasattr(cache, "expire") is timed
    told = {"capacity", "cleared"} | ({"expired"} if timed else set())
    assert set(figures.all("cache_evictions_total", "cache_eviction_cause")) == told


def test_a_closed_cache_is_what_it_was(figures, cache_of, policy):
    """Its class is its own again, with each method."""
    cache = cache_of(policy)
    kind = type(cache)
    instrument_cache(cache, name="c", registry=figures.registry)
    assert type(cache) is not kind
    Binding.of(cache).close()
    assert type(cache) is kind
