"""SQLAlchemy: the connection pools of engines, async ones too, and pools on their own."""

from dataclasses import replace
from operator import attrgetter
from typing import Any

import sqlalchemy.exc
from sqlalchemy import Engine, Pool
from sqlalchemy.pool import AssertionPool, NullPool, QueuePool, SingletonThreadPool, StaticPool

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.pool.adapter import PoolAdapter, PoolState

__all__ = ["pool"]


def _engine_or_pool(target: Any) -> Any:
    return getattr(target, "sync_engine", target)


def _pool(target: Any) -> Any:
    found = _engine_or_pool(target)
    return getattr(found, "pool", found)


def _limit(pool: Any) -> int | None:
    if not isinstance(pool, QueuePool) or pool.size() == 0 or pool._max_overflow < 0:  # 0 and -1 stand for no limit
        return None
    return pool.size() + pool._max_overflow


def _read(pool: Any) -> PoolState:
    """What the pool knows of itself: a queue pool everything, the others nothing.

    Nothing is counted by events, which miss a detached connection.
    """
    if not isinstance(pool, QueuePool):
        return PoolState()
    # A pool on its own that was disposed of forgets what is out, and counts its return all the same.
    kept = pool.size() or None  # 0 stands for no limit
    return PoolState(used=max(pool.checkedout(), 0), idle=pool.checkedin(), limit=_limit(pool), idle_limit=kept)


# A connection is back when its record is, whoever closed it, detached it or forgot it.
_waiting = PoolAdapter(
    takes=Pool,
    kind="connection",
    read=_read,
    pool_of=_pool,
    successor="recreate",  # an engine that disposes of its pool goes on with another
    acquire="connect",
    release="_do_return_conn",
    lent=attrgetter("_connection_record"),
    create="_invoke_creator",
    timeouts=(sqlalchemy.exc.TimeoutError,),
)
_endless = replace(_waiting, timeouts=())
_asserting = replace(_endless, rejections=(AssertionError,))
_forgetful = replace(_endless, reuses=False)
_sharing = replace(_endless, release="", lent=None, ends=("_checkin", "detach"))  # one for several at a time


def pool(target: Any, bind: Bind) -> Any:
    """Time requests, uses and the opening of connections, by the kind of the pool; read the rest off it."""
    if not isinstance(_engine_or_pool(target), Engine | Pool):
        raise UnsupportedError(f"{target!r} has no connection pool; pass an Engine, an AsyncEngine or a Pool")
    found = _pool(target)
    measure = _waiting
    if isinstance(found, AssertionPool):
        measure = _asserting
    elif isinstance(found, NullPool):
        measure = _forgetful
    elif isinstance(found, StaticPool | SingletonThreadPool):
        measure = _sharing
    elif isinstance(found, QueuePool) and _limit(found) is None:
        measure = _endless
    return measure(target, bind)
