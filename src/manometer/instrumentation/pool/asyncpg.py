"""asyncpg: pools of connections to PostgreSQL."""

from typing import Any

from asyncpg import Pool  # type: ignore[import-untyped]

from manometer.instrumentation.pool.adapter import PoolAdapter, PoolState

__all__ = ["pool"]


def _read(pool: Any) -> PoolState:
    idle = pool.get_idle_size()
    return PoolState(
        used=pool.get_size() - idle,
        idle=idle,
        limit=pool.get_max_size(),
        idle_minimum=pool.get_min_size(),
    )


# What `acquire` returns asks by `_acquire`, as a block or where it is awaited.
pool: PoolAdapter[Any] = PoolAdapter(
    takes=Pool,
    kind="connection",
    read=_read,
    acquire="_acquire",
    release="release",
    create="_get_new_connection",
    timeouts=(TimeoutError,),
)
