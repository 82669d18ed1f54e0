"""A check of a database: whether it answers a query."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from manometer.checks.subjects import about
from manometer.errors import BindingError
from manometer.instrumentation.tie import Tie

__all__ = ["database"]

_QUERY = "SELECT 1"


def database(source: Any) -> Callable[[], Any]:
    """Whether the database answers `SELECT 1`. The check is `about` an engine's pool where that is instrumented.

        checks.database(engine)                                            # of SQLAlchemy, plain or asynchronous
        checks.database(lambda: psycopg.connect(url, connect_timeout=5))   # any driver of the DB-API

    source: what has a `connect()` to connections of SQLAlchemy, or a function that opens a connection of the DB-API,
    which is closed after the query. Have the driver give up in less time than the check.
    Raises BindingError where it is neither.
    """
    if hasattr(source, "sync_engine"):
        return _about(_asked_on_loop(source), source)
    if callable(getattr(source, "connect", None)):
        return _about(lambda: _asked(source), source)
    if callable(source):
        return lambda: _asked_by_driver(source)
    raise BindingError(
        f"{type(source).__qualname__} opens no connections; "
        "pass an engine of SQLAlchemy, or a function that opens a connection"
    )


def _about(ask: Callable[[], Any], engine: Any) -> Callable[[], Any]:
    """The check, about the engine's pool where that is instrumented."""
    return ask if Tie.of(engine) is None else about(ask, engine)


def _asked(engine: Any) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(_QUERY).fetchall()


def _asked_on_loop(engine: Any) -> Callable[[], Any]:
    async def run() -> None:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(_QUERY)

    return run


def _asked_by_driver(connect: Callable[[], Any]) -> None:
    with closing(connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(_QUERY)
        cursor.fetchall()
