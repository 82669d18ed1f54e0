"""A cached function's drop-in does what the function did, whatever it was stacked on or became of it."""

import contextlib
import functools
import gc
import subprocess
import sys
import threading
import weakref
from fractions import Fraction

import cachetools
import pytest

from manometer import Binding, UnsupportedError, instrument_cache
from manometer.instrumentation.cache.adapter import CacheReader
from manometer.instrumentation.cache.functools import _read
from manometer.meters.fork import Forked
from waiting import DEADLINE

SETTINGS = [{}, {"lock": True}, {"info": True}, {"lock": True, "info": True}]
if hasattr(cachetools.cached(cachetools.Cache(1))(abs), "cache_condition"):
    SETTINGS += [{"condition": True}, {"condition": True, "info": True}, {"condition": True, "lock": True}]


def settled(settings):
    """The arguments of `cachetools.cached`, with a lock where one is asked for."""
    lock = threading.RLock()
    makes = {"lock": lock, "condition": threading.Condition(lock), "info": True}
    return {name: makes[name] for name in settings}


def tenfold(key):
    """Ten times the key."""
    return key * 10


def divmod_of(key, by):
    """How often one goes into the other, and what is left."""
    return divmod(key, by)


def cached(cache, **settings):
    """`cachetools.cached`, which the types of its stubs leave no room to call with all settings."""
    return cachetools.cached(cache, **settings)


OUTER = cachetools.LRUCache(2)
STACKS = cached(OUTER)(cached(cachetools.LRUCache(9))(tenfold)).cache is OUTER  # older versions show the inner cache

# What decorates a function with a cache that holds all that the function returns.
MEMOISED = [functools.lru_cache(None), lambda function: cached(cachetools.LRUCache(999))(function)]


# --- each kind of cached function


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_of_cached_is_measured(figures, settings):
    """With and without lock, condition and info: lookups, loads and attributes as they should be."""
    plain = cached(cachetools.LRUCache(2), **settled(settings))(tenfold)
    instrumented = instrument_cache(name="c", registry=figures.registry)(plain)
    assert [instrumented(key) for key in (1, 1, 2, 3, 1)] == [10, 10, 20, 30, 10]
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 4}
    assert figures("cache_load_duration_seconds_count", cache_load_outcome="ok") == 4
    assert figures("cache_evictions_total", cache_eviction_cause="capacity") == 2
    assert type(instrumented) is type(plain)
    assert vars(instrumented).keys() == vars(plain).keys()
    for name in ("cache", "cache_key", "cache_lock", "cache_condition", "__wrapped__", "__name__", "__doc__"):
        assert getattr(instrumented, name, None) is getattr(plain, name, None)
    assert callable(getattr(instrumented, "cache_info", None)) is ("info" in settings)
    instrumented.cache_clear()
    assert figures("cache_evictions_total", cache_eviction_cause="cleared") == 2


@pytest.mark.parametrize("decorate", MEMOISED)
def test_arguments_reach_the_function(figures, decorate):
    """Those given by name too."""
    instrumented = instrument_cache(name="c", registry=figures.registry)(decorate(divmod_of))
    assert (instrumented(7, by=2), instrumented(by=2, key=7)) == ((3, 1), (3, 1))
    assert figures("cache_load_duration_seconds_count", cache_load_outcome="ok") == 2


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_failed_load_of_a_function_passes_through(figures, settings):
    """The program's exception is its own, and the time counts as that of an error."""
    plain = cached(cachetools.LRUCache(2), **settled(settings))(lambda key: 1 // key)
    instrumented = instrument_cache(name="c", registry=figures.registry)(plain)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            instrumented(0)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 0, "miss": 2}
    assert figures("cache_load_duration_seconds_count", cache_load_outcome="error") == 2


# --- stacked functions


@pytest.mark.skipif(not STACKS, reason="this cachetools mixes the caches of stacked functions up")
def test_stacked_cached_functions_both_work_and_the_outer_is_measured(figures):
    """Each looks in its own cache, and the attributes are the outer's."""
    inner, outer = cachetools.LRUCache(9), cachetools.LRUCache(2)
    plain = cached(outer, info=True)(cached(inner)(tenfold))
    plain.note = "mine"
    instrumented = instrument_cache(name="c", registry=figures.registry)(plain)
    assert instrumented.cache is outer
    assert instrumented.note == "mine"
    assert [instrumented(key) for key in (1, 1, 2, 3)] == [10, 10, 20, 30]
    assert (len(outer), len(inner)) == (2, 3)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 3}
    assert figures("cache_entry_limit", cache_name="c") == 2
    assert instrumented.cache_info()[:2] == (1, 3)
    Binding.of(instrumented).close()
    assert instrumented(4) == 40
    assert (set(outer), set(inner)) == ({(3,), (4,)}, {(1,), (2,), (3,), (4,)})


def test_a_function_that_shows_the_cache_of_an_inner_one_is_refused(figures):
    """As stacked functions do in older versions, where the outer cache cannot be found: pass the cache itself."""
    shared = cachetools.LRUCache(2)
    plain = cached(shared)(cached(shared)(tenfold))
    with pytest.raises(UnsupportedError, match="pass the cache object itself"):
        instrument_cache(name="c", registry=figures.registry)(plain)


def test_a_cached_function_over_lru_cache_keeps_what_it_shows(figures):
    """The `cache_parameters` that it took over from the inner one stay."""
    plain = cached(cachetools.LRUCache(3))(functools.lru_cache(7)(tenfold))
    instrumented = instrument_cache(name="c", registry=figures.registry)(plain)
    assert instrumented.cache_parameters() == {"maxsize": 7, "typed": False}
    assert (instrumented(1), instrumented(1)) == (10, 10)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 1}


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("size", [0, 9, None])
def test_a_stacked_lru_cache_keeps_its_own_size_and_strictness(figures, size, typed):
    """The outer's size is not the inner's, and it tells equal numbers of two classes apart where it did."""
    plain = functools.lru_cache(size, typed)(functools.lru_cache(2, not typed)(tenfold))
    plain.note = "mine"
    instrumented = instrument_cache(name="c", registry=figures.registry)(plain)
    assert plain.cache_info() == (0, 0, size, 0)
    assert instrumented.cache_info().maxsize == size
    assert instrumented.cache_parameters() == plain.cache_parameters()
    assert instrumented.note == "mine"
    for each in (plain, instrumented):
        assert [each(3.0), each(Fraction(3)), each(3.0)] == [30, 30, 30]
    assert instrumented.cache_info() == plain.cache_info()
    assert size == 0 or plain.cache_info().misses == (2 if typed else 1)
    assert figures("cache_requests_total", cache_request_type="miss") == plain.cache_info().misses


def test_an_lru_cache_tells_its_own_figures(figures):
    """Not those that the function which it caches says of itself."""

    def outer(key):
        return key

    outer.cache_info = outer.cache_parameters = lambda: None
    instrumented = instrument_cache(name="c", registry=figures.registry)(functools.lru_cache(5)(outer))
    assert (instrumented(1), instrumented(1)) == (1, 1)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 1}
    assert figures("cache_entry_limit", cache_name="c") == 5


def test_attributes_of_the_user_stay_on_an_lru_cache(figures):
    """What the program has set on its function, and what the function names itself."""
    plain = functools.lru_cache(None)(tenfold)
    plain.version, plain.__doc__ = 3, "Another text."
    instrumented = instrument_cache(name="c", registry=figures.registry)(plain)
    told, wanted = vars(instrumented).copy(), vars(plain).copy()
    assert told.pop("cache_parameters")() == wanted.pop("cache_parameters")()
    assert told == wanted


@pytest.mark.parametrize("decorate", MEMOISED)
def test_a_function_that_names_another_one_is_refused(figures, decorate):
    """A drop-in around what `__wrapped__` says would call another function than the cache did."""
    plain = functools.update_wrapper(decorate(functools.partial(tenfold)), tenfold)
    with pytest.raises(UnsupportedError, match="__wrapped__"):
        instrument_cache(name="c", registry=figures.registry)(plain)


def test_a_function_that_names_none_is_refused(figures):
    """What the cache calls cannot be found then."""
    plain = functools.lru_cache(9)(tenfold)
    del plain.__wrapped__
    with pytest.raises(UnsupportedError, match="__wrapped__"):
        instrument_cache(name="c", registry=figures.registry)(plain)


def test_a_decorator_around_a_cached_function_is_refused(figures):
    """It shows the cached function's attributes and is none; a drop-in would drop what the decorator does."""

    @functools.wraps(cached_function := cached(cachetools.LRUCache(2))(tenfold))
    def logged(key):
        return cached_function(key) + 1

    with pytest.raises(UnsupportedError):
        instrument_cache(name="c", registry=figures.registry)(logged)


# --- recursion


@pytest.mark.parametrize("decorate", MEMOISED)
def test_a_memoised_recursion_costs_one_frame_more_a_call(figures, stack_depth, decorate):
    """Ten calls within each other have at most ten frames more than those of the bare function."""
    depths = []

    def count_down(left):
        depths.append(stack_depth())
        return step(left - 1) if left else 0

    step = decorate(count_down)
    step(10)
    bare = depths[-1] - depths[0]
    step.cache_clear()
    step = instrument_cache(name="c", registry=figures.registry)(step)
    depths.clear()
    step(10)
    assert depths[-1] - depths[0] <= bare + 10


@pytest.mark.usefixtures("whole_stack")
@pytest.mark.parametrize("decorate", MEMOISED)
def test_a_memoised_recursion_goes_as_deep_as_its_frames_allow(figures, decorate):
    """A depth that a bare function has with two thirds of the limit, the instrumented one has with all of it."""

    def count_down(left):
        return step(left - 1) if left else 0

    limit = sys.getrecursionlimit()
    step = decorate(count_down)
    reached = deepest(step, 400)
    step.cache_clear()
    step = instrument_cache(name="c", registry=figures.registry)(step)
    sys.setrecursionlimit(limit + limit // 2)
    try:
        step(reached)
    finally:
        sys.setrecursionlimit(limit)


def deepest(step, at_most):
    """How deep a recursion goes on this interpreter, in steps of ten."""
    reached = 0
    for left in range(10, at_most, 10):
        step.cache_clear()
        with contextlib.suppress(RecursionError):
            step(left)
            reached = left
    return reached


# --- life


@pytest.mark.parametrize("settings", [{}, {"info": True}])
def test_a_dead_functions_cache_is_plain_again(figures, settings):
    """What is looked up in the cache afterwards counts for nobody."""
    cache = cachetools.LRUCache(2)
    instrument_cache(name="c", registry=figures.registry)(cached(cache, **settings)(tenfold))
    gc.collect()
    assert type(cache) is cachetools.LRUCache
    cache[1] = 1
    assert cache[1] == 1
    assert figures("cache_requests_total", cache_request_type="hit") is None


@pytest.mark.parametrize("scraped", [False, True])
def test_a_cache_may_be_decorated_anew(figures, scraped):
    """A module that is loaded again, or a function that is made in a function, counts each lookup once."""
    cache = cachetools.LRUCache(9)
    for _ in range(3):
        function = instrument_cache(name="c", registry=figures.registry)(cached(cache)(tenfold))
        function(1)
        del function
        gc.collect()
        if scraped:
            figures("cache_entries")
    function = instrument_cache(name="c", registry=figures.registry)(cached(cache)(tenfold))
    assert function(1) == 10
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 0}


def test_a_dead_function_takes_nothing_off_its_successor(figures):
    """Closing and dying late leaves the counting of the next function on the same cache alone."""
    cache = cachetools.LRUCache(9)
    first = instrument_cache(name="c", registry=figures.registry)(cached(cache)(tenfold))
    Binding.of(first).close()
    second = instrument_cache(name="c", registry=figures.registry)(cached(cache)(tenfold))
    del first
    gc.collect()
    second(1)
    assert figures("cache_requests_total", cache_request_type="miss") == 1


def test_a_dead_function_frees_its_cache(figures):
    """Nothing of ours holds the function or the cache."""
    cache = cachetools.LRUCache(9)
    function = instrument_cache(name="c", registry=figures.registry)(cached(cache)(tenfold))
    held = [weakref.ref(cache), weakref.ref(function)]
    del cache, function
    gc.collect()
    assert [each() for each in held] == [None, None]


def test_a_lookup_while_the_program_ends_counts(tmp_path):
    """The graft stays on the cache for what the program does at its exit, such as a last push of the figures."""
    program = tmp_path / "program.py"
    program.write_text(
        "import atexit\n"
        "@atexit.register\n"  # what was registered first is called last
        "def end():\n"
        "    double(1)\n"
        "    print(manometer.render(registry)[0].decode())\n"
        "import cachetools, manometer\n"
        "from prometheus_client import CollectorRegistry\n"
        "registry = CollectorRegistry()\n"
        "double = cachetools.cached(cachetools.LRUCache(2))(lambda number: 2 * number)\n"
        "double = manometer.instrument_cache(name='c', registry=registry)(double)\n"
    )
    ended = subprocess.run([sys.executable, program], check=True, capture_output=True, text=True, timeout=DEADLINE)
    assert 'cache_requests_total{cache_name="c",cache_request_type="miss"} 1.0' in ended.stdout


# --- forks


@pytest.mark.parametrize(("forked", "told"), [(Forked.AT_ONCE, (0, 0)), (Forked.LATE, (2, 1)), (Forked.HEIR, (2, 1))])
def test_a_forked_child_leaves_the_lookups_of_its_parent_out(forked, told):
    """They stay where some of them may be the child's own, or where the parent counts no more."""
    function = functools.lru_cache(9)(tenfold)
    lookups = CacheReader(function, _read)
    for _ in range(3):
        function(1)
    assert lookups_of(lookups, function) == (2, 1)
    lookups.renew(forked)
    assert lookups_of(lookups, function) == told
    function(1)
    function(2)
    assert lookups_of(lookups, function) == (told[0] + 1, told[1] + 1)


@pytest.mark.parametrize(
    ("keys", "told"), [((), (0, 0)), ((1, 1), (1, 1)), ((1, 2, 3), (0, 3)), ((1, 1, 1, 1), (3, 1))]
)
def test_a_cache_that_a_forked_child_clears_counts_from_zero(keys, told):
    """What is taken off for the parent is gone with the parent's entries."""
    function = functools.lru_cache(9)(tenfold)
    lookups = CacheReader(function, _read)
    for key in (1, 2, 1, 2, 1, 2):
        function(key)
    lookups.renew(Forked.AT_ONCE)
    function.cache_clear()
    for key in keys:
        function(key)
    assert lookups_of(lookups, function) == told


def test_a_function_that_died_has_nothing_to_renew():
    """A forked child goes on."""
    lookups = CacheReader(functools.lru_cache(9)(tenfold), _read)
    gc.collect()
    lookups.renew(Forked.AT_ONCE)


def lookups_of(lookups, function):
    """The hits and misses that are told."""
    return tuple([value for _, labels, value in lookups(function) if labels])


# --- methods


class Shop:
    """A class with cached methods of every kind."""

    def __init__(self):
        self.prices = cachetools.LRUCache(2)

    @cachetools.cachedmethod(lambda self: self.prices)
    def price(self, key):
        return key * 10

    @functools.lru_cache(2)  # noqa: B019 - what is tried
    def rate(self, key):
        return key * 10

    @classmethod
    @functools.lru_cache(2)
    def tax(cls, key):
        return key * 10

    @staticmethod
    @functools.lru_cache(2)
    def share(key):
        return key * 10


def test_a_cached_method_of_an_object_is_refused(figures):
    """Bound methods get an answer that helps, and work on as before."""
    shop = Shop()
    for method in (shop.price, shop.rate, shop.tax, vars(Shop)["tax"], vars(Shop)["share"]):
        with pytest.raises(UnsupportedError, match=r"pass the cache object itself|the cached function that it binds"):
            instrument_cache(name="c", registry=figures.registry)(method)
    with pytest.raises(UnsupportedError):
        instrument_cache(name="c", registry=figures.registry)(vars(Shop)["price"])
    assert (shop.price(1), shop.rate(1), shop.tax(1), shop.share(1)) == (10, 10, 10, 10)


def test_the_cache_of_cached_methods_is_measured(figures):
    """It is the way to measure such methods."""
    shop = Shop()
    instrument_cache(name="c", registry=figures.registry)(shop.prices)
    assert (shop.price(1), shop.price(1)) == (10, 10)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 1}


@pytest.mark.parametrize("decorate", MEMOISED)
def test_a_cached_function_of_a_class_is_still_a_method(figures, decorate):
    """The drop-in of a function of a class binds to its objects as the function did."""

    class Till:
        """A class with one cached method."""

        @decorate
        def price(self, key):
            return key * 10

    Till.price = instrument_cache(name="c", registry=figures.registry)(Till.price)
    till = Till()
    assert (till.price(1), till.price(1), Till.price(till, 1)) == (10, 10, 10)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 2, "miss": 1}
