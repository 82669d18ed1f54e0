"""What an adapter of a pool declares: what it reads off the pool, and by which methods the pool lends."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from inspect import getattr_static
from typing import Any, Generic, Literal, TypeVar, cast

from manometer.catalogue import pool as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.adapters import listed
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.drop_in import measurable, original
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.creations import Creations
from manometer.instrumentation.pool.lending import Lending
from manometer.registry.catalogued import Pulled

__all__ = ["PoolAdapter", "PoolState", "figures"]

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """What a pool tells of itself at one moment. What it cannot tell stays None, and has no series.

    used, idle: resources out of the pool and in it; limit: how many there may be at most; idle_limit, idle_minimum:
    how many idle ones it keeps at most and at least; pending: requests that wait, where the pool knows better than
    the count of those under way.
    """

    used: int | None = None
    idle: int | None = None
    limit: int | None = None
    idle_limit: int | None = None
    idle_minimum: int | None = None
    pending: int | None = None


@dataclass(frozen=True, kw_only=True)
class PoolAdapter(Generic[P]):
    """The adapter of a library's pools, of connections or of other objects.

        pool = PoolAdapter(
            takes=foo.Pool, kind="connection", read=read, acquire="get", release="put", timeouts=(foo.Timeout,)
        )

    takes: their classes. read: tells the state of one, at each collection; it must neither wait nor do I/O.
    acquire, release: the methods that lend a resource and take the same object back; coroutines stay coroutines.
    block: a method that gives a context manager, plain or asynchronous, which lends a resource for a block. Name it
    where it does not call the other two. create: the method that makes a new resource; its time is shown.
    created: tells how many resources the pool has made so far, where no method does that; each request asks for it.
    timeouts, rejections: the exceptions of a request that waited in vain, or was turned away at once.
    What is not declared has no series.
    """

    takes: type[P] | tuple[type[P], ...]
    kind: Literal["connection", "object"]
    read: Callable[[P], PoolState]
    acquire: str = ""
    release: str = ""
    block: str = ""
    create: str = ""
    created: Callable[[P], int] | None = None
    timeouts: tuple[type[BaseException], ...] = ()
    rejections: tuple[type[BaseException], ...] = ()

    def __call__(self, pool: P, bind: Bind) -> P:
        """Measure a pool; returns it, or a drop-in where its class takes no other methods."""
        if not isinstance(pool, self.takes):
            raise UnsupportedError(f"{pool!r} is no pool of its library; pass {listed(self.takes)}")
        for name in (self.acquire, self.release, self.block, self.create):
            if name and not _is_plain(pool, name):
                raise UnsupportedError(f"{name} of {pool!r} is no plain method of its class, and cannot be measured")
        target: Any = measurable(pool)
        with bind(target, {"pool.kind": self.kind}, owned=pool, is_drop_in=target is not pool) as binding:
            tells = self.created is not None or bool(self.create)
            creations = Creations(pool, self.created) if tells else None
            lending = Lending(
                binding,
                timeouts=self.timeouts,
                rejections=self.rejections,
                creations=creations,
                times_creation=bool(self.create),
            )
            ways: dict[str, Callable[..., Callable[..., Any]]] = {
                self.acquire: lending.lends,
                self.release: lending.takes_back,
                self.block: lending.lends_for_a_block,
                self.create: lending.creates,
            }
            graft(target, {name: way(getattr(type(target), name)) for name, way in ways.items() if name})
            binding.undoes(ungraft)
            binding.pulls(lambda target: figures(self.read(original(target)), lending.pending))
        return cast(P, target)


def figures(state: PoolState, pending: int) -> Iterable[Pulled]:
    """The figures of a pool's state; pending: requests under way, where the pool itself does not tell them."""
    if state.used is not None:
        yield rows.RESOURCES, {"pool.resource.state": "used"}, state.used
    if state.idle is not None:
        yield rows.RESOURCES, {"pool.resource.state": "idle"}, state.idle
    if state.limit is not None:
        yield rows.RESOURCE_LIMIT, {}, state.limit
    if state.idle_limit is not None:
        yield rows.IDLE_LIMIT, {}, state.idle_limit
    if state.idle_minimum is not None:
        yield rows.IDLE_MINIMUM, {}, state.idle_minimum
    yield rows.PENDING_REQUESTS, {}, pending if state.pending is None else state.pending


def _is_plain(pool: object, name: str) -> bool:
    """Whether it is the class's method that is called: one of the object's own would go before a graft's."""
    method = getattr_static(type(pool), name, None)
    apart = isinstance(method, staticmethod | classmethod) or name in getattr(pool, "__dict__", ())
    return method is not None and not apart
