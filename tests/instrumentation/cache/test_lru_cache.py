"""A function of `functools.lru_cache`, measured where it is or decorated."""

import functools
import gc
import logging

import pytest

from manometer import Binding, BindingError, instrument_cache


@pytest.fixture
def price():
    """A cached function that a program holds in several places."""

    @functools.lru_cache(2)
    def price(key):
        return key * 10

    return price


def test_a_function_is_measured_where_it_is(figures, price):
    """Whoever holds it, by whatever name: it is the same object, and its lookups and entries are told."""
    held_elsewhere = price
    assert instrument_cache(price, name="c", registry=figures.registry) is price
    assert [held_elsewhere(key) for key in (2, 2, 4, 2, 6)] == [20, 20, 40, 20, 60]
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 2, "miss": 3}
    assert (figures("cache_entries"), figures("cache_entry_limit")) == (2, 2)


def test_loads_of_a_function_measured_where_it_is_have_no_series(figures, price):
    """Its C code calls the function that it was made with: nobody sees a load."""
    instrument_cache(price, name="c", registry=figures.registry)
    price(1)
    assert figures.all("cache_load_duration_seconds_count", "cache_load_outcome") == {}


def test_a_decorated_function_has_its_loads_timed(figures):
    """The decorator stands above `lru_cache`."""

    @instrument_cache(name="c", registry=figures.registry)
    @functools.lru_cache(2)
    def price(key):
        """What it costs."""
        return key * 10

    assert [price(key) for key in (2, 2, 4)] == [20, 20, 40]
    assert price.__doc__ == "What it costs."
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 2}
    assert figures("cache_load_duration_seconds_count", cache_load_outcome="ok") == 2


def test_a_function_is_bound_once(figures, price):
    """A second name would show the same lookups twice."""
    instrument_cache(price, name="c", registry=figures.registry)
    with pytest.raises(BindingError, match="cache/c is already bound; close its Binding first"):
        instrument_cache(price, name="again", registry=figures.registry)
    Binding.of(price).close()
    assert figures("cache_entries") is None
    instrument_cache(price, name="again", registry=figures.registry)
    assert figures("cache_entries", cache_name="again") == 0


def test_the_series_of_a_dead_function_are_gone(figures):
    """Nothing of ours holds it."""
    function = instrument_cache(functools.lru_cache(2)(abs), name="c", registry=figures.registry)
    assert function(-1) == 1
    del function
    gc.collect()
    assert figures("cache_entries") is None


@pytest.mark.parametrize("used", [False, True])
def test_a_drop_in_that_is_thrown_away_unused_says_so(figures, price, caplog, used):
    """The program holds the function that it had, and would look for its figures in vain."""
    drop_in = instrument_cache(name="c", registry=figures.registry)(price)
    if used:
        drop_in(1)
    del drop_in
    gc.collect()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert figures("cache_entries") is None
    assert caplog.messages == (
        []
        if used
        else [
            "the drop-in for cache/c was thrown away unused; put what instrument_cache returned in the place of what "
            "was passed, or nothing is measured"
        ]
    )


def test_a_closed_drop_in_says_nothing(figures, price, caplog):
    """The program knows of it."""
    drop_in = instrument_cache(name="c", registry=figures.registry)(price)
    Binding.of(drop_in).close()
    del drop_in
    gc.collect()
    figures("cache_entries")
    assert caplog.messages == []
