"""cachetools' own tests, with each cache and each cached function instrumented as it is made."""

from contextlib import suppress
from functools import wraps

import cachetools
import cachetools.func
import pytest
from prometheus_client import CollectorRegistry

from manometer import Binding, BindingError, instrument_cache

SOURCE = "cachetools"
TESTS = ["tests"]
KNOWN: dict[str, str] = {}

made = {"caches": 0, "cached functions": 0}


def pytest_configure() -> None:
    """Instrument what cachetools makes from now on."""
    make_cache, decorator = cachetools.Cache.__init__, cachetools.cached

    @wraps(make_cache)
    def __init__(self, *args, **kwargs):
        make_cache(self, *args, **kwargs)
        instrument_cache(self, name="suite", registry=CollectorRegistry())
        made["caches"] += 1

    @wraps(decorator)
    def cached(cache, *args, **kwargs):
        decorate = decorator(cache, *args, **kwargs)
        return lambda function: instrumented(decorate(function))

    def instrumented(function):
        if not isinstance(function.cache, cachetools.Cache):
            return function
        with suppress(BindingError):  # measured with its function, the cache is not measured on its own
            Binding.of(function.cache).close()
        cachetools.cached = decorator  # which makes the drop-in
        try:
            measured = instrument_cache(function, name="suite", registry=CollectorRegistry())
        except BindingError:  # a second function on one cache
            return function
        finally:
            cachetools.cached = cached
        made["cached functions"] += 1
        return measured

    cachetools.Cache.__init__ = __init__
    cachetools.cached = cachetools.func.cached = cached


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was instrumented."""
    terminalreporter.write_line(f"instrumented: {made}")
