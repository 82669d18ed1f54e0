"""SQLAlchemy: the connection pools of engines, async ones too, and pools on their own."""

from collections.abc import Iterable
from contextvars import ContextVar
from operator import attrgetter
from time import perf_counter
from typing import Any

import sqlalchemy.exc
import sqlalchemy.pool
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, Pool

from manometer.catalogue import pool as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding, Subject
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.lending import Lending
from manometer.meters.catalogued import Pulled

__all__ = ["instrument"]

# Connections that the current request has opened. A context variable and no thread's own, because an
# async engine serves many requests on one thread.
_opened: ContextVar[int] = ContextVar("manometer_opened", default=0)


def instrument(target: Any, *, name: str, registry: CollectorRegistry) -> None:
    """Time requests, uses and the opening of connections; read how many there are off the pool.

    The figures are read off `checkedin()` and `checkedout()`, never counted by events, which miss a
    detached connection. They stay with an engine through `dispose()`, which gives it a new pool.
    """
    engine = getattr(target, "sync_engine", target)
    if not isinstance(engine, Engine | Pool):
        raise UnsupportedError(f"{target!r} has no connection pool; pass an Engine, an AsyncEngine or a Pool")
    pool = _pool(engine)
    with Subject.on(registry, "pool").binding(target, owned=pool, pool=name, kind="connection") as binding:
        lending = Lending(binding, timeouts=(sqlalchemy.exc.TimeoutError,))
        _time_creation(pool, binding)
        # A connection is back when its record is, whoever closed it, detached it or forgot it.
        plain: Any = type(pool)
        connect = lending.lends(plain.connect, made=lambda _: _opened.get(), part=attrgetter("_connection_record"))
        graft(pool, {"connect": connect, "_do_return_conn": lending.takes_back(plain._do_return_conn)})
        binding.undoes(lambda target: ungraft(_pool(target)))
        binding.pulls(lambda target: _read(_pool(target), lending))


def _pool(target: Any) -> Pool:
    engine = getattr(target, "sync_engine", target)
    found: Pool = getattr(engine, "pool", engine)
    return found


def _read(pool: Any, lending: Lending) -> Iterable[Pulled]:
    """What the pool knows of itself: a queue pool everything, the others nothing."""
    yield rows.PENDING_REQUESTS, {}, lending.pending
    if isinstance(pool, sqlalchemy.pool.QueuePool):
        yield rows.RESOURCES, {"state": "used"}, pool.checkedout()
        yield rows.RESOURCES, {"state": "idle"}, pool.checkedin()
        if pool.size() > 0 and pool._max_overflow >= 0:  # 0 and -1 stand for no limit
            yield rows.RESOURCES_LIMIT, {}, pool.size() + pool._max_overflow


def _time_creation(pool: Pool, binding: Binding) -> None:
    """Time the pool's creator. A pool that `dispose()` or `recreate()` makes takes it over."""
    create = pool._invoke_creator
    took = binding.histogram("pool.create.duration").observe

    def timed(connection_record: Any = None) -> Any:  # SQLAlchemy knows a creator by this argument's name
        started = perf_counter()
        connection = create(connection_record)
        took(perf_counter() - started)
        _opened.set(_opened.get() + 1)
        return connection

    plain = pool._creator
    pool._creator = timed

    def restore(target: Any) -> None:
        found = _pool(target)
        if found._creator is timed:
            found._creator = plain

    binding.undoes(restore)
