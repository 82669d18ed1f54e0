"""psycopg_pool: pools of connections to PostgreSQL, blocking and asynchronous ones, null pools too."""

from typing import Any

from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout, TooManyRequests

from manometer.instrumentation.pool.adapter import PoolAdapter, PoolState

__all__ = ["pool"]


def _read(pool: Any) -> PoolState:
    """What the pool knows of itself. A connection that it opens for a request counts as used."""
    idle = len(pool._pool)
    return PoolState(
        used=max(pool._nconns - idle, 0),
        idle=idle,
        limit=pool.max_size or None,  # 0 stands for no limit
        idle_minimum=pool.min_size,
    )


# `connection()` calls `getconn` and `putconn`.
pool: PoolAdapter[Any] = PoolAdapter(
    takes=(ConnectionPool, AsyncConnectionPool),
    kind="connection",
    read=_read,
    acquire="getconn",
    release="putconn",
    create="_connect",
    timeouts=(PoolTimeout,),
    rejections=(TooManyRequests,),
)
