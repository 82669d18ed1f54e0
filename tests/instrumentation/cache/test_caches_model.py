"""Caches of every policy, driven at random beside a bare twin, against an account of what happened to them."""

import copy
import operator
import warnings
from math import inf

import cachetools
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from manometer import Binding, instrument_cache

SIZE, LIFE = 5, 3
KEYS = st.integers(0, 6)
WEIGHTS = {0: 1, 1: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: SIZE + 1}
VALUES = st.sampled_from(list(WEIGHTS))


def held(cache):
    """The keys that the cache holds, with those of entries too old."""
    return list(cachetools.Cache.__iter__(cache))


def forgets_the_old_value():
    """Whether a value that is too old as it comes removes the earlier value of its key: in new versions it does."""
    cache = cachetools.TLRUCache(2, ttu=lambda key, value, now: now + value)
    cache[1] = 9
    cache[1] = 0
    return not held(cache)


SHORTEST = 0 if forgets_the_old_value() else 1


def life(kind, value):
    """For how long a cache of that class keeps a value."""
    if issubclass(kind, cachetools.TLRUCache):
        return value + SHORTEST
    return LIFE if issubclass(kind, cachetools.TTLCache) else inf


def build(kind, clock, weighs):
    """A cache of that class, which evicts by no chance and has the time from the clock."""
    more = {"getsizeof": lambda value: WEIGHTS[value]} if weighs else {}
    if issubclass(kind, cachetools.TTLCache):
        more |= {"ttl": LIFE, "timer": clock}
    if issubclass(kind, cachetools.TLRUCache):
        more |= {"ttu": lambda key, value, now: now + life(kind, value), "timer": clock}
    if issubclass(kind, cachetools.RRCache):
        more["choice"] = operator.itemgetter(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # MRUCache
        return kind(SIZE, **more)


def loading(kind):
    """A class like that one whose misses load the value of half the key; 0 loads a 1, and 6 fails."""

    class Loading(kind):
        """A cache that fills itself, and looks up in itself to do so."""

        def __missing__(self, key):
            if key == 6:
                raise LookupError(key)
            value = 1 if key == 0 else self[key // 2]
            self[key] = value
            return value

    return Loading


def watched(kind, told):
    """A class like that one whose objects tell what happens in them."""

    class Watched(kind):
        """A bare cache that tells which entries make room, which are written and which are missed."""

        def popitem(self):
            item = super().popitem()
            told["popped"].append(item)
            return item

        def __setitem__(self, key, value):
            told["tried"].append(key)
            super().__setitem__(key, value)
            told["written"].append((key, value))

        def __missing__(self, key):
            told["missed"].append(key)
            return super().__missing__(key)

    Watched.__name__ = kind.__name__  # in what the cache says
    return Watched


def outcome(operation, cache):
    """What an operation returns or raises."""
    try:
        return operation(cache)
    except (LookupError, ValueError) as error:
        return type(error), error.args


class CacheMachine(RuleBasedStateMachine):
    """Does the same to an instrumented cache and to a bare twin, and keeps the account."""

    def __init__(self, figures, kind, weighs, loads):
        super().__init__()
        self.figures, self.loads, self.now = figures, loads, 0
        self.kind = loading(kind) if loads else kind
        self.told = {"popped": [], "tried": [], "written": [], "missed": []}
        self.cache, self.twin = [
            build(each, lambda: self.now, weighs) for each in (self.kind, watched(self.kind, self.told))
        ]
        self.expires = {}
        self.bind()

    def bind(self):
        """Instrument the cache; the account begins from nothing."""
        instrument_cache(self.cache, name="c", registry=self.figures.registry)
        self.requests = {"hit": 0, "miss": 0}
        self.evictions = {"capacity": 0, "cleared": 0, "expired": 0}
        self.loaded = 0

    def do(self, operation, drops=False, clears=False):
        """The operation on both, and on the account of evictions; returns what came of it.

        drops: it drops what is too old, as each write does; clears: it removes all.
        """
        for events in self.told.values():
            events.clear()
        before = held(self.twin)
        old = [key for key in before if self.expires[key] <= self.now]
        expected = outcome(operation, self.twin)
        assert outcome(operation, self.cache) == expected
        if clears:
            self.evictions["cleared"] += len(before)
            return expected
        self.evictions["capacity"] += len(self.told["popped"])
        if drops or self.told["tried"]:
            self.evictions["expired"] += len(old)
        for key, value in self.told["written"]:
            self.expires[key] = self.now + life(self.kind, value)
            self.evictions["expired"] += self.expires[key] <= self.now
        return expected

    @rule(key=KEYS)
    def look_up(self, key):
        """`cache[key]`. A load looks up once more, unless it is that of 0 or 6."""
        self.do(lambda cache: cache[key])
        missed = self.told["missed"]
        self.requests["miss"] += len(missed)
        self.requests["hit"] += not missed or (self.loads and missed[-1] not in (0, 6))
        self.loaded += len(missed)

    @rule(key=KEYS, default=st.sampled_from([None, "default"]))
    def get(self, key, default):
        """`get`, which never loads."""
        self.requests["hit" if key in self.twin else "miss"] += 1
        self.do(lambda cache: cache.get(key, default))

    @rule(key=KEYS, value=VALUES)
    def write(self, key, value):
        """`cache[key] = value`; 6 is too large where the cache weighs."""
        self.do(lambda cache: cache.__setitem__(key, value))

    @rule(key=KEYS, value=VALUES)
    def set_default(self, key, value):
        """`setdefault`."""
        self.do(lambda cache: cache.setdefault(key, value))

    @rule(entries=st.dictionaries(KEYS, VALUES, max_size=4))
    def update(self, entries):
        """`update` with another mapping."""
        self.do(lambda cache: cache.update(entries))

    @rule(key=KEYS)
    def remove(self, key):
        """`del`, which raises for an entry too old, and removes it."""
        self.evictions["expired"] += key in held(self.twin) and self.expires[key] <= self.now
        self.do(lambda cache: cache.__delitem__(key))

    @rule(key=KEYS, default=st.sampled_from([(), ("default",)]))
    def pop(self, key, default):
        """`pop`, with a default and without."""
        self.do(lambda cache: cache.pop(key, *default))

    @rule()
    def pop_item(self):
        """`popitem`, called by the program."""
        self.do(lambda cache: cache.popitem(), drops=True)

    @rule()
    def clear(self):
        """`clear`."""
        self.do(lambda cache: cache.clear(), clears=True)

    @rule(key=KEYS, value=VALUES)
    def walk(self, key, value):
        """Views and comparisons. `list()` of a view would ask for its length, which drops what is too old."""
        self.do(lambda cache: [key for key in cache])  # noqa: C416
        self.do(lambda cache: [item for item in cache.items()])  # noqa: C416
        self.do(lambda cache: [item for item in cache.values()])  # noqa: C416
        self.do(lambda cache: key in cache and (key, value) in cache.items())
        self.do(lambda cache: value in cache.values())
        self.do(lambda cache: cache == {key: value})

    @rule(measure=st.sampled_from([len, bool, repr, lambda cache: cache.currsize, lambda cache: len(cache.items())]))
    def ask_for_the_size(self, measure):
        """What asks for the size drops what is too old."""
        self.do(measure, drops=True)

    @precondition(lambda self: hasattr(self.cache, "expire"))
    @rule()
    def expire(self):
        """`expire`."""
        self.do(lambda cache: cache.expire(), drops=True)

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds):
        """Time goes by."""
        self.now += seconds

    @rule(key=KEYS)
    def use_a_clone(self, key):
        """A copy is of the plain class, and what happens to it counts nowhere."""
        clone = copy.deepcopy(self.cache)
        outcome(lambda cache: cache[key], clone)
        clone.clear()
        assert type(clone) is self.kind

    @rule(key=KEYS)
    def bind_again(self, key):
        """A closed cache is plain and counts nothing; bound again, it counts from nothing."""
        Binding.of(self.cache).close()
        self.do(lambda cache: cache.get(key))
        assert type(self.cache) is self.kind
        assert self.figures.all("cache_requests_total", "cache_request_type") == {}
        self.bind()

    @invariant()
    def the_figures_are_the_account(self):
        """Each figure is, and the cache holds what its twin holds."""
        assert held(self.cache) == held(self.twin)
        assert self.figures.all("cache_requests_total", "cache_request_type") == self.requests
        evictions = self.figures.all("cache_evictions_total", "cache_eviction_cause")
        assert {"expired": 0} | evictions == self.evictions
        assert ("expired" in evictions) is hasattr(self.cache, "expire")
        assert self.figures("cache_entries") == cachetools.Cache.currsize.fget(self.twin)
        loads = self.figures.all("cache_load_duration_seconds_count", "cache_load_outcome")
        assert sum(loads.values()) == (self.loaded if self.loads else 0)


@pytest.mark.parametrize("weighs", [False, True], ids=["counted", "weighed"])
@pytest.mark.parametrize("loads", [False, True], ids=["plain", "loading"])
def test_a_cache_agrees_with_the_account(figures, policy, weighs, loads):
    """Whatever is done to it, it does what a bare one does, and its figures are those of the account."""
    run_state_machine_as_test(
        lambda: CacheMachine(type(figures)(), getattr(cachetools, policy), weighs, loads),
        settings=settings(max_examples=10, stateful_step_count=30, deadline=None),
    )
