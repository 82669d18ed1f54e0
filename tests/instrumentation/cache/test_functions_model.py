"""Cached functions of every kind, driven at random beside a bare twin, against an account of their calls."""

import functools
import gc
import threading

import cachetools
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from manometer import Binding, instrument_cache

LRU = functools._lru_cache_wrapper
KEYS = st.sampled_from([0, 1, 1.0, True, 2, 3, 7])


def over(cache, **settings):
    """What decorates with `cachetools.cached`."""
    lock = threading.RLock()
    made = {"lock": lock, "condition": threading.Condition(lock), "info": True}
    return lambda clock: cachetools.cached(cache(clock), **{name: made[name] for name in settings})


def timed(clock):
    """A cache whose entries live for 3 seconds."""
    return cachetools.TTLCache(3, 3, timer=clock)


def small(_clock):
    """A cache of two entries."""
    return cachetools.LRUCache(2)


OUTERMOST = {
    "lru": lambda clock: functools.lru_cache(2),
    "typed": lambda clock: functools.lru_cache(3, typed=True),
    "endless": lambda clock: functools.lru_cache(None),
    "none": lambda clock: functools.lru_cache(0),
    "cached": over(small),
    "lock": over(small, lock=1),
    "info": over(small, info=1),
    "lock and info": over(small, lock=1, info=1),
    "expiring": over(timed),
    "expiring, lock and info": over(timed, lock=1, info=1),
}
OUTER = cachetools.LRUCache(2)
if hasattr(cachetools.cached(OUTER)(abs), "cache_condition"):
    OUTERMOST["condition"] = over(small, condition=1)
    OUTERMOST["condition and info"] = over(timed, condition=1, info=1)
# What is cached, and in what the function that it caches is cached itself.
KINDS = [(outer, None) for outer in OUTERMOST]
KINDS += [("typed", "lru"), ("lru", "typed"), ("cached", "lru"), ("lru", "cached")]
if cachetools.cached(OUTER)(cachetools.cached(cachetools.LRUCache(9))(abs)).cache is OUTER:
    KINDS += [("info", "expiring"), ("cached", "info"), ("lock and info", "lock")]


class FunctionMachine(RuleBasedStateMachine):
    """Calls an instrumented function and a bare twin with the same arguments, and keeps the account."""

    def __init__(self, figures, outer, inner):
        super().__init__()
        self.figures, self.now = figures, 0
        self.outer = OUTERMOST[outer](lambda: self.now)
        self.bare = self.outer(self.inner(inner, lambda *args: self.drop_in(*args)))
        self.bare.note = object()
        self.twin = OUTERMOST[outer](lambda: self.now)(self.watched(self.inner(inner, self.look_up_in_the_twin)))
        self.lru = isinstance(self.bare, LRU)
        self.bind()

    def inner(self, kind, look_up):
        """A function that looks up in its own cache for 3 and fails for 7, itself cached where that is asked for."""

        def function(key, other=None):
            if key == 7:
                raise LookupError(key)
            return (key, other) if key != 3 else look_up(2, other)

        return OUTERMOST[kind](lambda: self.now)(function) if kind else function

    def watched(self, function):
        """The function as the twin's cache calls it on a miss, which tells how each call went."""

        def load(*args):
            self.told.append("missed")
            try:
                value = function(*args)
            except LookupError:
                self.told.append("error")
                raise
            self.told.append("ok")
            return value

        return load

    def look_up_in_the_twin(self, *args):
        """A call of the twin."""
        self.told.append("looked up")
        return self.twin(*args)

    def do(self, function, *args, timed=True):
        """Call the function and the twin, for the account. timed: the loads of the function are timed."""
        self.told = []
        expected = outcome(self.look_up_in_the_twin, *args)
        assert outcome(function, *args) == expected
        missed = self.told.count("missed")
        for account in (self.requests, self.info) if timed else (self.requests,):
            account["miss"] += missed
            account["hit"] += self.told.count("looked up") - missed
        for each in self.loads if timed else ():
            self.loads[each] += self.told.count(each)

    def bind(self):
        """Instrument the function; the account begins from nothing, and from an empty cache."""
        clear(self.twin)
        clear(self.bare)
        self.drop_in = instrument_cache(name="c", registry=self.figures.registry)(self.bare)
        self.loads = {"ok": 0, "error": 0}
        self.requests, self.info = {"hit": 0, "miss": 0}, {"hit": 0, "miss": 0}

    @rule(key=KEYS, more=st.sampled_from([(), (1,)]))
    def call(self, key, more):
        """A call."""
        self.do(self.drop_in, key, *more)

    @precondition(lambda self: not self.lru)
    @rule(key=st.integers(0, 2))
    def call_the_function_that_was_instrumented(self, key):
        """It looks up in the same cache, and nobody times its loads."""
        self.do(self.bare, key, timed=False)

    @precondition(lambda self: not self.lru)
    @rule(key=st.integers(0, 3))
    def use_the_cache(self, key):
        """A lookup in the cache of the function."""
        place = self.twin.cache_key(key)
        there = place in self.twin.cache
        assert self.drop_in.cache.get(place) == self.twin.cache.get(place)
        self.requests["hit" if there else "miss"] += 1

    @rule()
    def clear(self):
        """`cache_clear`, with which an lru_cache counts from nothing."""
        clear(self.twin)
        clear(self.drop_in)
        self.info = {"hit": 0, "miss": 0}
        if self.lru:
            self.requests = {"hit": 0, "miss": 0}

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds):
        """Time goes by."""
        self.now += seconds

    @rule(key=st.integers(0, 3))
    def bind_again(self, key):
        """A closed function goes on and counts nothing; instrumented again, it counts from nothing."""
        Binding.of(self.drop_in).close()
        self.do(self.drop_in, key)
        assert self.figures.all("cache_requests_total", "cache_request_type") == {}
        self.bind()

    @rule()
    def decorate_again(self):
        """A function that is gone leaves a plain cache, and its name, to the next."""
        cache = None if self.lru else self.drop_in.cache
        self.drop_in = None
        gc.collect()
        assert cache is None or type(cache).__module__ == "cachetools"
        assert "_grafted_on" not in vars(type(cache))
        self.bind()

    @invariant()
    def the_figures_are_the_account(self):
        """Each figure is, and the function looks as it did."""
        assert self.figures.all("cache_requests_total", "cache_request_type") == self.requests
        assert self.figures.all("cache_load_duration_seconds_count", "cache_load_outcome") == self.loads
        assert vars(self.drop_in).keys() == vars(self.bare).keys()
        assert (self.drop_in.note, self.drop_in.__wrapped__) == (self.bare.note, self.bare.__wrapped__)
        if self.lru:
            assert LRU.cache_info(self.drop_in) == LRU.cache_info(self.twin)
        elif callable(getattr(self.twin, "cache_info", None)):
            assert self.drop_in.cache_info() == (*self.info.values(), *self.twin.cache_info()[2:])


def clear(function):
    """Clear the function's own cache: an lru_cache shows the `cache_clear` of a function that it caches."""
    LRU.cache_clear(function) if isinstance(function, LRU) else function.cache_clear()


def outcome(function, *args):
    """What a call returns or raises; 1, 1.0 and True are not the same there."""
    try:
        return repr(function(*args))
    except LookupError as error:
        return type(error), error.args


@pytest.mark.parametrize(("outer", "inner"), KINDS)
def test_a_cached_function_agrees_with_the_account(figures, outer, inner):
    """However it is called, it returns what a bare one does, and its figures are those of the account."""
    run_state_machine_as_test(
        lambda: FunctionMachine(type(figures)(), outer, inner),
        settings=settings(max_examples=10, stateful_step_count=25, deadline=None),
    )
