"""A check of a database asks it, and leaves nothing of its own behind."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import AsyncAdaptedQueuePool, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from manometer.checks import database
from manometer.errors import BindingError
from manometer.health import Checks, check
from waiting import until


def test_an_engine_is_asked_and_its_connection_given_back(tmp_path):
    """Whatever the answer."""
    engine = create_engine(f"sqlite:///{tmp_path / 'book'}")
    assert database(engine)() is None
    assert engine.pool.checkedout() == 0
    engine.dispose()
    with pytest.raises(OperationalError):
        database(create_engine(f"sqlite:///{tmp_path / 'none' / 'book'}"))()


def test_a_connection_of_a_driver_is_asked_and_closed(tmp_path):
    """Whatever the answer."""
    opened = []

    def connect():
        opened.append(sqlite3.connect(tmp_path / "book"))
        return opened[-1]

    assert database(connect)() is None

    class Refusing(sqlite3.Connection):
        def cursor(self):
            raise sqlite3.OperationalError("disk I/O error")

    def refuse():
        opened.append(sqlite3.connect(tmp_path / "book", factory=Refusing))
        return opened[-1]

    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        database(refuse)()
    for each in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            each.execute("SELECT 1")


async def test_an_asynchronous_engine_is_asked_on_its_loop(tmp_path, registry):
    """A connection of it works on no other."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'book'}", poolclass=AsyncAdaptedQueuePool)
    found = check("book", database(engine), registry=registry)
    checks = Checks.on(registry)
    checks.start()
    await asyncio.to_thread(until, lambda: found.result)
    checks.stop()
    assert found.problem is None
    assert engine.pool.checkedout() == 0
    await engine.dispose()


def test_what_opens_no_connection_is_refused():
    """Such as a connection that is open."""
    with pytest.raises(BindingError) as raised:
        database("postgresql://localhost/orders")
    assert str(raised.value) == (
        "str opens no connections; pass an engine of SQLAlchemy, or a function that opens a connection"
    )
