"""SQLAlchemy: the connection pools of engines, async ones too, and pools on their own."""

import weakref
from operator import attrgetter
from typing import Any

import sqlalchemy.exc
from sqlalchemy import Engine, Pool
from sqlalchemy.pool import AssertionPool, NullPool, QueuePool, SingletonThreadPool, StaticPool

from manometer.errors import BindingError, UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.adapter import PoolState, figures
from manometer.instrumentation.pool.creations import Creations
from manometer.instrumentation.pool.lending import Lending
from manometer.instrumentation.pool.sqlalchemy_fairy import fairy_uses

__all__ = ["pool"]


def pool(target: Any, bind: Bind) -> Any:
    """Time requests, uses and the opening of connections; read how many there are off the pool.

    The figures are read off `checkedin()` and `checkedout()`, never counted by events, which miss a
    detached connection. They stay with an engine through `dispose()`, which gives it a new pool.
    """
    engine = getattr(target, "sync_engine", target)
    if not isinstance(engine, Engine | Pool):
        raise UnsupportedError(f"{target!r} has no connection pool; pass an Engine, an AsyncEngine or a Pool")
    holder = _holder(_pool(target))
    if holder is not None:
        raise BindingError(f"{holder.path} is already bound; close its Binding first")
    with bind(target, {"pool.kind": "connection"}) as binding:
        lending = _lending(_pool(target), binding)
        _measure(_pool(target), binding, lending)
        binding.undoes(lambda target: ungraft(_pool(target)))
        binding.pulls(lambda target: figures(_read(_pool(target)), lending.pending))
    return target


def _pool(target: Any) -> Pool:
    engine = getattr(target, "sync_engine", target)
    found: Pool = getattr(engine, "pool", engine)
    return found


def _holder(pool: Pool) -> Binding | None:
    """The open binding that measures the pool, be it the pool's own or its engine's."""
    held = getattr(type(pool), "_measured_by", None)
    binding: Binding | None = held() if held is not None else None
    return binding if binding is not None and _pool(binding.target) is pool else None


def _limit(pool: Any) -> int | None:
    if not isinstance(pool, QueuePool) or pool.size() == 0 or pool._max_overflow < 0:  # 0 and -1 stand for no limit
        return None
    return pool.size() + pool._max_overflow


def _lending(pool: Pool, binding: Binding) -> Lending:
    """What can become of a request, by the kind of the pool."""
    waits = _limit(pool) is not None or not isinstance(pool, QueuePool | NullPool | StaticPool | SingletonThreadPool)
    return Lending(
        binding,
        timeouts=(sqlalchemy.exc.TimeoutError,) if waits and not isinstance(pool, AssertionPool) else (),
        rejections=(AssertionError,) if isinstance(pool, AssertionPool) else (),
        creations=Creations(pool, None),
        times_creation=True,
        reuses=not isinstance(pool, NullPool),
    )


def _measure(pool: Pool, binding: Binding, lending: Lending) -> None:
    """Graft the pool: `connect` is a request, the return of what it lent ends a use."""
    ungraft(pool)  # of the graft that a pool without a binding has of the one that it is a copy of
    plain: Any = type(pool)

    def recreate(self: Any) -> Any:
        successor = plain.recreate(self)  # of the graft's class
        ungraft(successor)
        target = binding.target
        if target is not self and target is not None and not binding.closed and _pool(target) is self:
            _measure(successor, binding, lending)  # the engine disposes of its pool, and goes on with this one
        return successor

    methods: dict[str, Any] = {
        "recreate": recreate,
        "_invoke_creator": _timed_creator(lending),
        "_measured_by": weakref.ref(binding),
    }
    if isinstance(pool, StaticPool | SingletonThreadPool):  # these lend one connection to several at a time
        part = fairy_uses(lending)
    else:
        # A connection is back when its record is, whoever closed it, detached it or forgot it.
        part = attrgetter("_connection_record")
        methods["_do_return_conn"] = lending.takes_back(plain._do_return_conn)
    methods["connect"] = lending.lends(plain.connect, part)
    if isinstance(pool, QueuePool):
        pool.checkedin()  # an async pool makes its queue at first sight, which is not to be a collection's
    graft(pool, methods)


def _timed_creator(lending: Lending) -> property:
    """The pool's attribute that opens a connection, with each call timed; its value stays the pool's own."""
    name = "_invoke_creator"
    return property(
        lambda pool: lending.creates(pool.__dict__[name]),
        lambda pool, create: pool.__dict__.__setitem__(name, create),
        lambda pool: pool.__dict__.__delitem__(name),
    )


def _read(pool: Any) -> PoolState:
    """What the pool knows of itself: a queue pool everything, the others nothing."""
    if not isinstance(pool, QueuePool):
        return PoolState()
    # A pool on its own that was disposed of forgets what is out, and counts its return all the same.
    kept = pool.size() or None  # 0 stands for no limit
    return PoolState(used=max(pool.checkedout(), 0), idle=pool.checkedin(), limit=_limit(pool), idle_limit=kept)
