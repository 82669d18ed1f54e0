"""SQLAlchemy: the connection pools of engines, async ones too, and pools on their own."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from time import perf_counter
from typing import Any

import sqlalchemy.exc
import sqlalchemy.pool
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, Pool, event

from manometer.catalogue import pool as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding, Subject
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.waits import Waits
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
        waits = Waits(binding, timeouts=(sqlalchemy.exc.TimeoutError,))
        _time_creation(pool, binding)
        _time_use(pool, binding)
        graft(pool, {"connect": _connect(type(pool), waits)})
        binding.undoes(lambda target: ungraft(_pool(target)))
        binding.pulls(lambda target: _read(_pool(target), waits))


def _pool(target: Any) -> Pool:
    engine = getattr(target, "sync_engine", target)
    found: Pool = getattr(engine, "pool", engine)
    return found


def _read(pool: Any, waits: Waits) -> Iterable[Pulled]:
    """What the pool knows of itself: a queue pool everything, the others nothing."""
    yield rows.PENDING_REQUESTS, {}, waits.pending
    if isinstance(pool, sqlalchemy.pool.QueuePool):
        yield rows.RESOURCES, {"state": "used"}, pool.checkedout()
        yield rows.RESOURCES, {"state": "idle"}, pool.checkedin()
        if pool.size() > 0 and pool._max_overflow >= 0:  # 0 and -1 stand for no limit
            yield rows.RESOURCES_LIMIT, {}, pool.size() + pool._max_overflow


def _connect(plain: Any, waits: Waits) -> Callable[..., Any]:
    def connect(self: Any) -> Any:
        opened, asked = _opened.get(), waits.asked()
        try:
            connection = plain.connect(self)
        except BaseException as error:
            waits.failed(asked, error)
            raise
        waits.answered(asked, created=_opened.get() != opened)
        return connection

    return connect


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


def _time_use(pool: Pool, binding: Binding) -> None:
    used = binding.histogram("pool.use.duration").observe
    since = (
        object()
    )  # where a connection's record keeps the time at which it was handed out: this binding's own place

    def taken(_connection: Any, record: Any, _proxy: Any) -> None:
        if not binding.closed:
            record.record_info[since] = perf_counter()

    def returned(_connection: Any, record: Any) -> None:
        started = record.record_info.pop(since, None)
        if started is not None and not binding.closed:
            used(perf_counter() - started)

    def stop(target: Any) -> None:
        # Listeners move with the pool's dispatch to the pool that replaces it, where they can not be
        # taken off again: there a closed binding's are left to do nothing.
        if _pool(target) is pool:
            event.remove(pool, "checkout", taken)
            event.remove(pool, "checkin", returned)

    event.listen(pool, "checkout", taken)
    event.listen(pool, "checkin", returned)
    binding.undoes(stop)
