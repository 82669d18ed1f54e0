"""redis-py: pools of connections to a server, of clients or on their own, blocking and asynchronous ones."""

import queue
from dataclasses import replace
from typing import Any

import redis
from redis import asyncio

from manometer.instrumentation.bind import Bind
from manometer.instrumentation.pool.adapter import PoolAdapter, PoolState

__all__ = ["pool"]

_UNLIMITED = 2**31
"""What redis-py takes for no limit."""


def _pool(target: Any) -> Any:
    return getattr(target, "connection_pool", target)


def _limit(pool: Any) -> int | None:
    return pool.max_connections if pool.max_connections < _UNLIMITED else None


def _read(pool: Any) -> PoolState:
    return PoolState(used=len(pool._in_use_connections), idle=len(pool._available_connections), limit=_limit(pool))


def _read_queue(pool: Any) -> PoolState:
    """Of a pool whose free places stand in a queue, with a connection in each that had one."""
    used = max(pool.max_connections - pool.pool.qsize(), 0)
    return PoolState(used=used, idle=max(len(pool._connections) - used, 0), limit=_limit(pool))


def _made(pool: Any) -> int:
    return len(pool._in_use_connections) + len(pool._available_connections)


def _turned_away(error: BaseException) -> bool:
    """Older versions have no class for it."""
    return isinstance(error, redis.ConnectionError) and str(error) == "Too many connections"


def _waited_in_vain(error: BaseException) -> bool:
    """A server that cannot be reached is the same exception, of another cause."""
    return isinstance(error, redis.ConnectionError) and isinstance(error.__context__, queue.Empty | TimeoutError)


# A pool keeps the connections that it has made, and connects them anew where they break. So those that it has are
# those that it has made. What makes one does not connect it yet, so its time would tell nothing.
_refusing: PoolAdapter[Any] = PoolAdapter(
    takes=(redis.ConnectionPool, asyncio.ConnectionPool),
    kind="connection",
    read=_read,
    pool_of=_pool,
    acquire="get_connection",
    release="release",
    created=_made,
    rejections=_turned_away,
)
_refusing_later = replace(_refusing, awaited=True)
_waiting_later = replace(_refusing_later, timeouts=_waited_in_vain, rejections=())
_waiting = replace(_waiting_later, awaited=False, read=_read_queue, created=lambda pool: len(pool._connections))

_KINDS = {
    redis.BlockingConnectionPool: _waiting,
    asyncio.BlockingConnectionPool: _waiting_later,
    asyncio.ConnectionPool: _refusing_later,
}


def pool(target: Any, bind: Bind) -> Any:
    """Time requests and uses, by the kind of the pool; read the rest off it."""
    found = _pool(target)
    measure = next((each for kind, each in _KINDS.items() if isinstance(found, kind)), _refusing)
    return measure(target, bind)
