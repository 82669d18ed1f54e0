"""CPython's own tests of lru_cache, with each cached function instrumented as it is made."""

import functools
from types import ModuleType

import pytest
from prometheus_client import CollectorRegistry
from test.support import import_helper

from manometer import instrument_cache

SOURCE = None
TESTS = ["--pyargs", "test.test_functools", "-k", "TestLRUC or TestCacheC"]
KNOWN = {
    "TestLRUC::test_lru_reentrancy_with_len": "puts the cached function in the place of `len`, which histograms call",
}

made = 0


def pytest_configure() -> None:
    """Give the tests of the C code this module's functools in the place of a fresh copy."""
    fresh = import_helper.import_fresh_module

    def import_fresh_module(name, *args, **kwargs):
        return measured if "_functools" in kwargs.get("fresh", ()) else fresh(name, *args, **kwargs)

    import_helper.import_fresh_module = import_fresh_module


def lru_cache(maxsize=128, typed=False):
    """`functools.lru_cache`, with what it makes instrumented."""
    decorated = functools.lru_cache(maxsize, typed)
    return instrumented(decorated) if callable(maxsize) else lambda function: instrumented(decorated(function))


def cache(function):
    """`functools.cache`, with what it makes instrumented."""
    return instrumented(functools.cache(function))


def instrumented(function):
    """The drop-in of a cached function."""
    global made
    made += 1
    return instrument_cache(name="suite", registry=CollectorRegistry())(function)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was instrumented."""
    terminalreporter.write_line(f"{made} cached functions were instrumented")


measured = ModuleType("functools")
vars(measured).update({**vars(functools), "lru_cache": lru_cache, "cache": cache})
