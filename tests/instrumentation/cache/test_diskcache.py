"""Caches on disk, by diskcache."""

import diskcache
import pytest

from manometer import instrument_cache


@pytest.fixture
def cache(figures, tmp_path):
    """An instrumented cache that drops one entry at a time."""
    with diskcache.Cache(tmp_path, cull_limit=1) as made:
        yield instrument_cache(made, name="prices", registry=figures.registry)


@pytest.mark.parametrize(
    ("asked", "found", "missing"),
    [
        ({}, 1, "none"),
        ({"expire_time": True}, (1, None), ("none", None)),
        ({"tag": True}, (1, "a"), ("none", None)),
        ({"expire_time": True, "tag": True}, (1, None, "a"), ("none", None, None)),
    ],
)
def test_a_lookup_gives_what_it_gave(cache, figures, asked, found, missing):
    """With what may be asked for besides, and the program's own default."""
    cache.set("there", 1, tag="a")
    assert (cache.get("there", "none", **asked), cache.get("not", "none", **asked)) == (found, missing)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 1}


def test_every_way_to_look_up_is_one_lookup(cache, figures):
    """An item, and a function whose answers are kept there."""
    with pytest.raises(KeyError):
        cache["not"]

    @cache.memoize()
    def tenfold(number):
        return number * 10

    assert (tenfold(2), tenfold(2)) == (20, 20)
    assert figures.all("cache_requests_total", "cache_request_type") == {"hit": 1, "miss": 2}


def test_a_value_of_none_is_a_hit(cache, figures):
    """As it is there."""
    cache["there"] = None
    assert cache.get("there", "none") is None
    assert figures("cache_requests_total", cache_request_type="hit") == 1


def test_each_eviction_has_its_cause(cache, figures):
    """Too old, by a write or by a call; no room; all of them."""
    cache.set("old", 1, expire=-1)  # each write drops what is too old
    cache.reset("cull_limit", 0)
    cache.set("old", 1, expire=-1)
    assert cache.expire() == 1
    cache.reset("cull_limit", 1)
    assert figures.all("cache_evictions_total", "cache_eviction_cause") == {"capacity": 0, "expired": 2, "cleared": 0}
    cache["small"] = 1
    cache.reset("size_limit", cache.volume())
    cache["large"] = bytes(100_000)
    assert cache.clear() == 1
    assert figures.all("cache_evictions_total", "cache_eviction_cause") == {"capacity": 1, "expired": 2, "cleared": 1}
