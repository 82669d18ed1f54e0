"""`cache[key]` and `get` are lookups, and nothing else that a mapping does is one."""

import copy
import threading

import cachetools
import pytest

from manometer import instrument_cache
from manometer.instrumentation.cache.amid import Amid
from manometer.meters.fork import Forked
from waiting import DEADLINE

NOTHING = {"hit": 0, "miss": 0}


def both(cache):
    """Look for every entry in the views, and walk over them."""
    assert [value for _, value in cache.items()] == list(cache.values())
    for key, value in list(cache.items()):
        assert (key, value) in cache.items()
        assert value in cache.values()


WALKS = {
    "views": both,
    "keys": lambda cache: [key in cache for key in cache.keys()],  # noqa: SIM118 - the view itself
    "equality": lambda cache: (cache == cache, cache == {}, cache != {}),
    "update": lambda cache: (cache.update({7: 7}), cache.update(cache)),
    "popitem": lambda cache: cache.popitem(),
    "pop": lambda cache: (cache.pop(1, None), cache.pop("none", None)),
    "setdefault": lambda cache: (cache.setdefault(2, 0), cache.setdefault("new", 0)),
    "clear": lambda cache: cache.clear(),
    "copy": copy.copy,
    "length": lambda cache: (len(cache), bool(cache), repr(cache)),
    "deletion": lambda cache: cache.__delitem__(next(iter(cache))),
}


@pytest.mark.parametrize("walk", WALKS)
def test_no_other_call_is_a_lookup(figures, cache_of, policy, walk):
    """Walks, comparisons, removals and writes count as no lookup, and do what they did."""
    cache, plain = instrument_cache(cache_of(policy), name="c", registry=figures.registry), cache_of(policy)
    for each in (cache, plain):
        each.update({key: key * 10 for key in range(1, 6)})
        WALKS[walk](each)
    assert figures.all("cache_requests_total", "cache_request_type") == NOTHING
    if policy != "RRCache":  # evicts at random
        assert list(cache.items()) == list(plain.items())


def test_writes_that_make_room_are_no_lookups(figures, cache_of, policy):
    """A thousand writes into a cache of ten evict 990 entries, and look nothing up."""
    cache = instrument_cache(cache_of(policy, 10), name="c", registry=figures.registry)
    for key in range(1_000):
        cache[key] = key
    assert figures.all("cache_requests_total", "cache_request_type") == NOTHING
    assert figures("cache_evictions_total", cache_eviction_cause="capacity") == 990


def test_lookups_within_a_walk_count(figures, cache_of, policy):
    """What the program looks up between two steps of a walk is its own lookup."""
    cache = instrument_cache(cache_of(policy), name="c", registry=figures.registry)
    cache.update({1: 1, 2: 2})
    for _ in cache.items():
        cache.get(1)
    for _ in cache.values():
        cache.get("none")
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 2, "miss": 2}


def test_views_look_as_they_did(figures, cache_of, policy):
    """Their text, their set operations and their length are the library's."""
    cache, plain = instrument_cache(cache_of(policy), name="c", registry=figures.registry), cache_of(policy)
    for each in (cache, plain):
        each[1] = 10
    assert (repr(cache.items()), repr(cache.values())) == (repr(plain.items()), repr(plain.values()))
    assert cache.items() & {(1, 10), (2, 20)} == {(1, 10)}
    assert (len(cache.items()), len(cache.values())) == (1, 1)


class Own(cachetools.TTLCache):
    """A policy of the user's own, written with lookups in itself."""

    def __contains__(self, key):
        try:
            return self[key] is not None
        except KeyError:
            return False

    def __setitem__(self, key, value):
        self.replaced = self.get(key)
        super().__setitem__(key, value)

    def __delitem__(self, key):
        self.removed = self[key]
        super().__delitem__(key)

    def expire(self, time=None):
        self.kept = [self.get(key) for key in self]
        return super().expire(time)

    def popitem(self):
        key = next(iter(self))
        value = self[key]
        del self[key]
        return key, value

    def get(self, key, default="sorry"):
        try:
            return self[key]
        except KeyError:
            return default

    def items(self):
        return super().items()


def test_a_users_policy_may_look_up_in_itself(figures):
    """What it does beside is no lookup, and its own `get` is one lookup a call."""
    cache = instrument_cache(Own(2, 10), name="c", registry=figures.registry)
    for key in range(9):
        cache[key] = key
    assert list(cache.items()) == [(7, 7), (8, 8)]
    assert (8 in cache, 1 in cache) == (True, False)
    del cache[7]
    cache[8] = 9
    cache.expire()
    assert (cache.removed, cache.replaced, cache.kept) == (7, 8, [9])
    assert figures.all("cache_requests_total", "cache_request_type") == NOTHING
    assert (cache.get(8), cache.get(1)) == (9, "sorry")
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 1}


class Polite(cachetools.LRUCache):
    """A cache whose `get` has another default."""

    def get(self, key, default="sorry"):
        return super().get(key, default)


def test_a_users_get_counts_what_it_does_not_find(figures):
    """A `get` that asks the library's for what is not there is a miss."""
    cache = instrument_cache(Polite(2), name="c", registry=figures.registry)
    cache[1] = 1
    assert (cache.get(1), cache.get(2)) == (1, "sorry")
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 1}


class Sorted(cachetools.LRUCache):
    """A cache that returns lists where others return views."""

    def items(self):
        return sorted(super().items())

    def values(self):
        return sorted(super().values())


def test_a_users_lists_stay_lists(figures):
    """They read all entries, which is no lookup."""
    cache = instrument_cache(Sorted(9), name="c", registry=figures.registry)
    cache.update({2: 3, 1: 4})
    assert (cache.items(), cache.values()) == ([(1, 4), (2, 3)], [3, 4])
    assert figures.all("cache_requests_total", "cache_request_type") == NOTHING


class Doubling(cachetools.LRUCache):
    """A cache that loads an entry from the half of it."""

    def __missing__(self, key):
        self[key] = value = 0 if key == 0 else self[key // 2] + 1
        return value

    def get(self, key, default=None):
        return self[key]


def test_what_is_there_before_the_first_load_is_a_hit(figures):
    """A thread that has loaded nothing yet finds what another one, or a write, has left."""
    cache = instrument_cache(Doubling(99), name="c", registry=figures.registry)
    cache[8] = 4
    assert cache[8] == 4
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 0}


def test_a_load_that_looks_up_counts_each_lookup_once(figures):
    """Of 8, 4, 2, 1 and 0 each is a miss and a load; afterwards 9 is one, and 4 a hit."""
    cache = instrument_cache(Doubling(99), name="c", registry=figures.registry)
    assert cache[8] == 4
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 0, "miss": 5}
    assert cache[9] == 4
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 6}
    assert cache[9] == 4
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 2, "miss": 6}
    assert figures("cache_load_duration_seconds_count", cache_load_outcome="ok") == 6


def test_a_users_get_that_loads_is_a_miss(figures):
    """The lookups of the load count too, whichever call the load is a part of."""
    cache = instrument_cache(Doubling(99), name="c", registry=figures.registry)
    assert (cache.get(1), cache.get(3), cache.get(3)) == (1, 2, 2)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 2, "miss": 3}


def test_a_key_that_cannot_be_looked_up_counts_nothing(figures, cache_of, policy):
    """An error of the caller is no lookup, and leaves nothing behind that would hide the next."""
    cache = instrument_cache(cache_of(policy), name="c", registry=figures.registry)
    for call in (cache.__getitem__, cache.get, cache.pop, cache.setdefault):
        with pytest.raises(TypeError):
            call([])
    assert figures.all("cache_requests_total", "cache_request_type") == NOTHING
    cache.get(1)
    assert figures("cache_requests_total", cache_request_type="miss") == 1


def test_another_thread_counts_amid_an_operation(figures):
    """A removal of one thread hides no lookup of another."""
    within, goes_on = threading.Event(), threading.Event()

    class Slow(cachetools.LRUCache):
        """A cache that stops amid a removal."""

        def popitem(self):
            item = super().popitem()
            within.set()
            assert goes_on.wait(DEADLINE)
            return item

    cache = instrument_cache(Slow(9), name="c", registry=figures.registry)
    cache.update({1: 1, 2: 2})
    remover = threading.Thread(target=cache.popitem)
    remover.start()
    assert within.wait(DEADLINE)
    assert cache[2] == 2
    goes_on.set()
    remover.join(DEADLINE)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 0}


def test_a_child_that_is_forked_amid_an_operation_ends_it():
    """It goes on with its own operation, and forgets those of threads that it does not have."""
    amid = Amid()

    def forks(self):
        amid.threads[0] = set()
        amid.renew(Forked.AT_ONCE)
        return amid.holds(), 0 in amid.threads

    assert amid.within(forks)(None) == (True, False)
    assert not amid.holds()


def test_a_child_that_notices_its_fork_late_ends_no_operation_of_its_other_threads():
    """They may be at it since the fork, and each takes itself off at its end."""
    amid = Amid()
    amid.threads[0] = set()
    amid.renew(Forked.LATE)
    assert 0 in amid.threads


def test_clones_are_bare(figures, cache_of, policy):
    """What a cache makes by its own class, or copies, counts into no series."""
    cache = instrument_cache(cache_of(policy), name="c", registry=figures.registry)
    cache[1] = 1
    kind = type(cache)
    clones = [copy.copy(cache), copy.deepcopy(cache), kind.__new__(kind)]
    if policy not in ("TTLCache", "TLRUCache", "MRUCache"):
        clones += [kind(3), kind(maxsize=3)]
    for clone in clones:
        assert type(clone) is getattr(cachetools, policy)
    for clone in clones[3:]:
        clone[1] = 1
        assert clone[1] == 1
    assert figures.all("cache_requests_total", "cache_request_type") == NOTHING
