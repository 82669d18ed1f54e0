"""SQLAlchemy's own tests of pools, transactions, reconnection and asyncio, with each pool and engine instrumented."""

import gc
from contextlib import suppress
from functools import wraps

import pytest
import sqlalchemy.pool
import sqlalchemy.util
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from manometer import Binding, BindingError, instrument_pool
from manometer.registry.collection import collect

SOURCE = "sqlalchemy"
SUITES = ["engine/test_pool.py", "engine/test_transaction.py", "engine/test_reconnect.py", "ext/asyncio"]
TESTS = [*(f"test/{suite}" for suite in SUITES), "--db", "sqlite", "--db", "aiosqlite"]
KNOWN: dict[str, str] = {}

KINDS = ("QueuePool", "AsyncAdaptedQueuePool", "NullPool", "SingletonThreadPool", "StaticPool", "AssertionPool")

registries: list[CollectorRegistry] = []
made = {"pools": 0, "engines": 0}


def pytest_configure() -> None:
    """Instrument what SQLAlchemy makes from now on; an engine takes its pool over."""
    kinds = [getattr(sqlalchemy.pool, name) for name in KINDS]
    keep_arguments(*kinds, Engine)
    for kind in kinds:
        measure_pools(kind)
    make = Engine.__init__

    @wraps(make)
    def __init__(self, *args, **kwargs):
        make(self, *args, **kwargs)
        with suppress(BindingError):
            Binding.of(self.pool).close()
        with suppress(BindingError):  # a second engine on one pool
            measure(self, "engines")

    Engine.__init__ = __init__


def keep_arguments(*kinds) -> None:
    """Have `create_engine` know the arguments of these classes, which it reads off the code of `__init__`."""
    ask = sqlalchemy.util.get_cls_kwargs
    known = {kind: ask(kind) for kind in kinds}

    def get_cls_kwargs(kind, *args):
        return ask(kind, *args).union(*(known.get(base, ()) for base in kind.__mro__))

    sqlalchemy.util.get_cls_kwargs = get_cls_kwargs


def measure_pools(kind) -> None:
    """Instrument each pool of this very class."""
    make = kind.__init__

    @wraps(make)
    def __init__(self, *args, **kwargs):
        make(self, *args, **kwargs)
        if type(self) is kind:
            measure(self, "pools")

    kind.__init__ = __init__


def measure(target, what) -> None:
    """On a registry of its own, for as long as the test runs."""
    registries.append(CollectorRegistry())
    instrument_pool(target, name="suite", registry=registries[-1])
    made[what] += 1


def pytest_runtest_teardown() -> None:
    """Collect, so that the figures of each test's objects are read.

    Without the garbage collector: some tests leave a session in a circle, to be found at a time that suits them.
    """
    gc.disable()
    try:
        for registry in registries:
            collect(registry)
    finally:
        gc.enable()
    registries.clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was instrumented."""
    terminalreporter.write_line(f"instrumented: {made}")
