"""What tests of caches share: a clock, every policy, and how deep the frames of a call go."""

import sys
import warnings

import cachetools
import pytest

from manometer.testing import ManualClock


def policies():
    """The cache classes that the installed cachetools has, by their names."""
    found = {name: getattr(cachetools, name) for name in cachetools.__all__}
    return {
        name: kind for name, kind in found.items() if isinstance(kind, type) and issubclass(kind, cachetools.Cache)
    }


def make_cache(name, size=9, clock=None, **settings):
    """A cache of the policy of that name; one with a time to live keeps entries for 10 seconds."""
    settings |= {"TTLCache": {"ttl": 10}, "TLRUCache": {"ttu": lambda key, value, now: now + 10}}.get(name, {})
    if clock is not None and name in ("TTLCache", "TLRUCache"):
        settings["timer"] = clock
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # MRUCache
        return policies()[name](size, **settings)


def depth():
    """How many Python frames are on the stack of the caller."""
    frame, count = sys._getframe(1), 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


def pytest_generate_tests(metafunc):
    """Run a test that takes `policy` for each, or for those with a time to live where it takes `timed_policy`."""
    if "timed_policy" in metafunc.fixturenames:
        metafunc.parametrize("timed_policy", ["TTLCache", "TLRUCache"])
    if "policy" in metafunc.fixturenames:
        metafunc.parametrize("policy", list(policies()))


@pytest.fixture
def clock():
    """A time that moves when told to."""
    return ManualClock()


@pytest.fixture
def cache_of():
    """Makes a cache by the name of its policy."""
    return make_cache


@pytest.fixture
def stack_depth():
    """Counts Python frames."""
    return depth
