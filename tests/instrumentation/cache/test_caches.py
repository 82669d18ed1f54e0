"""What every instrumented cache tells, whichever library it is of."""

import copy
import functools
import pickle
import threading
from fractions import Fraction

import cachetools
import pytest

from manometer import Binding, BindingError, UnsupportedError, instrument_cache
from manometer.meters import Counter
from manometer.testing import Figures, ManualClock
from waiting import joined


class Loading(cachetools.LRUCache):
    """A cache that fills itself; an odd key fails."""

    def __missing__(self, key):
        if key % 2:
            raise LookupError(key)
        self[key] = value = key * 10
        return value


def lru_function(figures):
    """A function cached by the standard library."""
    return instrument_cache(name="c", registry=figures.registry)(functools.lru_cache(2)(lambda key: key * 10))


def cached_function(figures):
    """A function cached by cachetools."""
    plain = cachetools.cached(cachetools.LRUCache(2), lock=threading.Lock(), info=True)(lambda key: key * 10)
    return instrument_cache(plain, name="c", registry=figures.registry)


def loading_cache(figures):
    """A cache object that loads what it misses."""
    return instrument_cache(Loading(2), name="c", registry=figures.registry).__getitem__


def failing_lru_function(figures):
    """A function cached by the standard library, which fails for odd keys."""
    return instrument_cache(name="c", registry=figures.registry)(functools.lru_cache(2)(lambda key: Loading(9)[key]))


class Running(ManualClock):
    """A clock on which two seconds pass between two looks."""

    def __call__(self):
        self.now += 2
        return self.now


@pytest.mark.parametrize("make", [failing_lru_function, loading_cache])
def test_the_time_of_a_load_is_what_goes_by_in_it(make):
    """From its start to its end, whether it fails or not."""
    figures = Figures(clock=Running())
    look_up = make(figures)
    assert look_up(2) == 20
    with pytest.raises(LookupError):
        look_up(1)
    assert figures.all("cache_load_duration_seconds_sum", "cache_load_outcome") == {"ok": 2, "error": 2}


@pytest.mark.parametrize("make", [lru_function, cached_function, loading_cache])
def test_lookups_loads_and_entries_are_told(figures, make):
    """The contract: 2 hits and 3 misses, each miss a timed load, two of two entries used."""
    look_up = make(figures)
    assert [look_up(key) for key in (2, 2, 4, 2, 6)] == [20, 20, 40, 20, 60]
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 2, "miss": 3}
    assert figures("cache_load_duration_seconds_count", cache_name="c", cache_load_outcome="ok") == 3
    assert figures("cache_entries", cache_name="c") == 2
    assert figures("cache_entry_limit", cache_name="c") == 2


def test_a_failed_load_is_an_error_and_passes_through(figures):
    """The program gets its own exception; the time is counted apart."""
    cache = instrument_cache(Loading(2), name="c", registry=figures.registry)
    with pytest.raises(LookupError):
        cache[1]
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 0, "miss": 1}
    assert figures("cache_load_duration_seconds_count", cache_load_outcome="error") == 1


def test_every_policy_counts_lookups(figures, cache_of, policy):
    """`[]` and `get` are lookups; writes, membership tests, `setdefault` and `pop` are none."""
    cache = instrument_cache(cache_of(policy), name="c", registry=figures.registry)
    cache["a"] = 1
    assert (cache["a"], cache.get("a"), cache.get("b"), cache.get("b", 7)) == (1, 1, None, 7)
    with pytest.raises(KeyError, match="b"):
        cache["b"]
    assert "a" in cache
    assert "b" not in cache
    assert cache.setdefault("a", 5) == 1
    assert cache.setdefault("c", 5) == 5
    assert cache.pop("c") == 5
    assert cache.pop("c", None) is None
    with pytest.raises(KeyError):
        cache.pop("c")
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 2, "miss": 3}


def test_evictions_are_told_by_their_cause(figures, clock):
    """Room made, time run out, and everything cleared; a caller's own removal is none of them."""
    cache = instrument_cache(cachetools.TTLCache(2, 10, timer=clock), name="c", registry=figures.registry)
    for key in "abc":
        cache[key] = 1
    del cache["b"]
    clock.now = 11
    assert cache.get("c") is None
    cache.expire()
    cache["d"] = 1
    cache.clear()
    assert figures.all("cache_evictions_total", "cache_eviction_cause") == {"capacity": 1, "expired": 1, "cleared": 1}


def test_a_collection_changes_nothing_in_the_cache(figures, clock):
    """A cache with a time to live expires on its owner's calls only: it has no lock of its own."""
    cache = instrument_cache(cachetools.TTLCache(2, 10, timer=clock), name="c", registry=figures.registry)
    cache["a"] = 1
    clock.now = 11
    assert figures("cache_entries", cache_name="c") == 1
    assert cachetools.Cache.__len__(cache) == 1
    assert len(cache) == 0


def test_get_holds_the_clock_still(figures, clock):
    """An entry that runs out between the test for its key and its lookup is still a hit."""

    class Hurried(type(clock)):
        """A clock on which a second passes with every look."""

        def __call__(self):
            self.now += 1
            return self.now

    cache = instrument_cache(cachetools.TTLCache(2, 2.5, timer=Hurried()), name="c", registry=figures.registry)
    cache["a"] = 1
    assert cache.get("a", "gone") == 1


def test_a_weighed_cache_tells_weights(figures):
    """Entries and their limit are in the cache's own measure."""
    cache = instrument_cache(cachetools.LRUCache(100, getsizeof=len), name="c", registry=figures.registry)
    cache["a"] = "x" * 30
    assert figures("cache_entries") == 30
    assert figures("cache_entry_limit") == 100


def test_an_unbounded_cache_has_no_limit(figures):
    """What there is not has no series."""
    endless = instrument_cache(cachetools.LRUCache(float("inf")), name="endless", registry=figures.registry)
    assert endless.maxsize == float("inf")
    assert figures("cache_entry_limit", cache_name="endless") is None
    instrumented = instrument_cache(name="c", registry=figures.registry)(functools.lru_cache(None)(abs))
    instrumented(1)
    assert figures("cache_entries", cache_name="c") == 1
    assert figures("cache_entry_limit") is None


def test_the_cache_stays_what_it_was(figures):
    """Same object, same class to `isinstance`, and copies and pickles of the plain class."""
    plain = cachetools.LRUCache(2)
    cache = instrument_cache(plain, name="c", registry=figures.registry)
    cache["a"] = 1
    assert cache is plain
    assert isinstance(cache, cachetools.LRUCache)
    assert repr(cache) == "LRUCache({'a': 1}, maxsize=2, currsize=1)"
    for twin in (copy.copy(cache), pickle.loads(pickle.dumps(cache))):
        assert type(twin) is cachetools.LRUCache
        assert dict(twin) == {"a": 1}
    Binding.of(cache).close()
    assert type(cache) is cachetools.LRUCache


def test_the_drop_in_of_a_function_looks_like_it(figures):
    """Name, documentation, parameters and `cache_info` are those of the original."""

    @functools.lru_cache(maxsize=3, typed=True)
    def documented(key):
        """What it does."""
        return key

    instrumented = instrument_cache(name="c", registry=figures.registry)(documented)
    assert (instrumented.__name__, instrumented.__doc__) == ("documented", "What it does.")
    assert instrumented.cache_parameters() == {"maxsize": 3, "typed": True}
    assert instrumented.__wrapped__ is documented.__wrapped__
    assert [instrumented(key) for key in (1.0, Fraction(1))] == [1, 1]  # equal numbers of two classes
    assert instrumented.cache_info().misses == 2
    instrumented.cache_clear()
    assert figures("cache_requests_total", cache_request_type="miss") == 0


def test_a_closed_function_goes_on_without_measuring(figures):
    """Closing takes the timing off the loads."""
    instrumented = lru_function(figures)
    instrumented(1)
    Binding.of(instrumented).close()
    assert instrumented(2) == 20
    assert figures("cache_load_duration_seconds_count", cache_load_outcome="ok") is None


def test_a_hit_of_a_cached_function_is_the_c_codes_own(figures):
    """No Python of ours runs on a hit of an lru_cache."""
    instrumented = lru_function(figures)
    assert type(instrumented) is type(functools.lru_cache(abs))


def test_pulled_and_pushed_caches_share_a_family(figures):
    """One panel shows them all: the family stands once in the exposition."""
    caches = [cachetools.LRUCache(1), functools.lru_cache(abs)]
    bound = [
        instrument_cache(cache, name=name, registry=figures.registry)
        for cache, name in zip(caches, ("pushed", "pulled"), strict=True)
    ]
    assert len(bound) == 2
    names = [family.name for family in figures.registry.collect()]
    assert names.count("cache_requests") == 1
    assert set(figures.all("cache_requests_total", "cache_name")) == {"pushed", "pulled"}


def test_threads_lose_no_lookup(figures):
    """Lookups from four threads all count."""
    cache = instrument_cache(cachetools.LRUCache(4), name="c", registry=figures.registry)
    cache["a"] = 1
    lock = threading.Lock()

    def read():
        for _ in range(2_000):
            with lock:
                cache["a"]

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    joined(*readers)
    assert figures("cache_requests_total", cache_request_type="hit") == 8_000


@pytest.mark.parametrize(
    "strange", [cachetools.cached({})(abs), cachetools.keys.hashkey(1), functools.partial(abs), None]
)
def test_what_is_no_cache_is_refused(figures, strange):
    """Objects of the right library but the wrong kind get an answer that helps."""
    with pytest.raises(
        UnsupportedError, match=r"pass the cache object itself|decorate it first|pass a cache of cachetools"
    ):
        instrument_cache(strange, name="c", registry=figures.registry)


def test_closing_a_cached_function_leaves_its_cache_plain(figures):
    """The handle is found by the drop-in, and takes the counting off the cache and the timing off the loads."""
    function = cached_function(figures)
    Binding.of(function).close()
    assert type(function.cache) is cachetools.LRUCache
    assert function(3) == 30
    assert figures("cache_load_duration_seconds_count", cache_load_outcome="ok") is None


def test_a_cache_and_its_function_are_one(figures):
    """Instrumenting the cache of an instrumented function again is refused."""
    function = cached_function(figures)
    with pytest.raises(BindingError, match="already bound"):
        instrument_cache(function.cache, name="again", registry=figures.registry)


def test_a_users_own_meter_stands_beside(figures):
    """The default names do not get in the way of other metrics on the registry."""
    instrument_cache(cachetools.LRUCache(1), name="c", registry=figures.registry)
    Counter("mine", "Help.", registry=figures.registry)
    with pytest.raises(ValueError, match="cache_requests"):
        Counter("cache_requests", "Another metric of that name.", registry=figures.registry)
