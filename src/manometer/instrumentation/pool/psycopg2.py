"""psycopg2: pools of connections to PostgreSQL, which refuse who comes when all are out."""

from typing import Any

from psycopg2.pool import AbstractConnectionPool, PoolError  # type: ignore[import-untyped]

from manometer.instrumentation.pool.adapter import PoolAdapter, PoolState

__all__ = ["pool"]


def _read(pool: Any) -> PoolState:
    return PoolState(
        used=len(pool._used),
        idle=len(pool._pool),
        limit=pool.maxconn,
        idle_limit=pool.minconn,  # it closes what comes back while so many are idle
    )


def _turned_away(error: BaseException) -> bool:
    """A pool that is closed raises the same."""
    return isinstance(error, PoolError) and str(error) == "connection pool exhausted"


pool: PoolAdapter[Any] = PoolAdapter(
    takes=AbstractConnectionPool,
    kind="connection",
    read=_read,
    acquire="getconn",
    release="putconn",
    create="_connect",
    rejections=_turned_away,
)
