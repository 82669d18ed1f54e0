"""CPython's own tests of thread pools, with each executor instrumented as it is made."""

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from importlib.util import find_spec
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from manometer import instrument_executor
from manometer.registry.collection import collect

SOURCE = None
MODULE = "test.test_concurrent_futures"
# Some interpreters were built without these tests; Debian has them apart: apt-get install libpython3.11-testsuite.
APART = Path(f"/usr/lib/python{sys.version_info.major}.{sys.version_info.minor}/test/test_concurrent_futures.py")
# Three of them import the module anew, in an interpreter of their own where nothing is instrumented.
ANEW = "test_cancel_futures_wait_false or test_hang_gh83386 or test_interpreter_shutdown"
TESTS = (
    ["--pyargs", MODULE, "-k", "ThreadPool"]
    if find_spec(MODULE)
    else ["--import-mode=importlib", str(APART), "-k", f"ThreadPool and not ({ANEW})"]
)
KNOWN: dict[str, str] = {}

registry = CollectorRegistry()
made = 0


def pytest_configure() -> None:
    """Instrument what is made from now on."""
    if str(APART) in TESTS and not APART.exists():
        raise pytest.UsageError(f"this Python has no {MODULE} (on Debian: apt-get install libpython3.11-testsuite)")
    make = ThreadPoolExecutor.__init__

    @wraps(make)
    def __init__(self, *args, **kwargs):
        global made
        make(self, *args, **kwargs)
        made += 1
        instrument_executor(self, name=f"suite {made}", registry=registry)

    ThreadPoolExecutor.__init__ = __init__


def pytest_runtest_teardown() -> None:
    """Collect, so that the figures of each test's objects are read."""
    collect(registry)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was instrumented."""
    terminalreporter.write_line(f"{made} executors were instrumented")
