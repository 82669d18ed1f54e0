"""What an adapter of a pool declares: what it reads off the pool, and by which methods the pool lends."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from inspect import getattr_static
from typing import Any, Generic, Literal, TypeVar, cast

from manometer.catalogue import pool as rows
from manometer.errors import BindingError, UnsupportedError
from manometer.instrumentation.adapters import listed
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.drop_in import measurable, original
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.pool.creations import Creations, give_back, timed_attribute
from manometer.instrumentation.pool.handles import Handles
from manometer.instrumentation.pool.lending import Failures, Lending
from manometer.registry.catalogued import Pulled

__all__ = ["PoolAdapter", "PoolState", "figures"]

P = TypeVar("P")
T = TypeVar("T")

_log = logging.getLogger("manometer")


def _itself(target: Any) -> Any:
    return target


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
    It may also be the attribute in which a pool keeps the function that makes one.
    created: tells how many resources the pool has made so far, where no method does that; each request asks for it.
    reuses: whether the pool lends a resource again. timeouts, rejections: the exceptions of a request that waited in
    vain, or was turned away at once: their classes, or a function that says so of one. What is not declared has no
    series.

    lent: of what `acquire` returns, the part that `release` takes back. ends: the methods of what `acquire` returns
    by which it goes back itself, such as `close`; name them in the place of `release` where the pool does not hear of
    each return, as one that lends the same resource to several at a time.
    awaited: whether `acquire` and `release` are coroutines though they do not look it, as those of a decorator are.
    pool_of: the pool of what the program passes, where that has one, as an engine or a client. successor: the method
    by which a pool makes the one that takes its place there; the figures go on with that one.
    """

    takes: type[P] | tuple[type[P], ...]
    kind: Literal["connection", "object"]
    read: Callable[[P], PoolState]
    acquire: str = ""
    release: str = ""
    block: str = ""
    create: str = ""
    created: Callable[[P], int] | None = None
    reuses: bool = True
    timeouts: Failures = ()
    rejections: Failures = ()

    lent: Callable[[Any], object] | None = None
    ends: tuple[str, ...] = ()
    awaited: bool = False
    pool_of: Callable[[Any], Any] = _itself
    successor: str = ""

    def __call__(self, target: T, bind: Bind) -> T:
        """Measure a pool; returns what was passed, or a drop-in where its class takes no other methods."""
        pool: Any = self.pool_of(target)
        if not isinstance(pool, self.takes):
            raise UnsupportedError(f"{pool!r} is no pool of its library; pass {listed(self.takes)}")
        kept = getattr(pool, "__dict__", ())
        for name in (self.acquire, self.release, self.block, "" if self.create in kept else self.create):
            if name and not _is_plain(pool, name):
                raise UnsupportedError(f"{name} of {pool!r} is no plain method of its class, and cannot be measured")
        holder = self._holder(pool)
        if holder is not None:
            raise BindingError(f"{holder.path} is already bound; close its Binding first")
        measured: Any = measurable(target) if pool is target else target
        drop_in = measured is not target
        with bind(measured, {"pool.kind": self.kind}, owned=target, is_drop_in=drop_in) as binding:
            tells = self.created is not None or bool(self.create)
            lending = Lending(
                binding,
                timeouts=self.timeouts,
                rejections=self.rejections,
                creations=Creations(pool, self.created) if tells else None,
                times_creation=bool(self.create),
                reuses=self.reuses,
                awaited=self.awaited,
            )
            self._measure(self.pool_of(measured), binding, lending)
            binding.undoes(lambda target: ungraft(self.pool_of(target)))
            binding.pulls(lambda target: figures(self.read(original(self.pool_of(target))), lending.pending))
        return cast(T, measured)

    def _measure(self, pool: Any, binding: Binding, lending: Lending) -> None:
        ungraft(pool)  # of the graft that a pool without a binding has of the one that it is a copy of
        part = Handles(lending, self.ends).use if self.ends else self.lent
        ways: dict[str, Callable[..., Any]] = {
            self.acquire: lambda take: lending.lends(take, part),
            self.release: lending.takes_back,
            self.block: lending.lends_for_a_block,
            self.successor: lambda make: self._succeeded(make, binding, lending),
        }
        methods = {name: way(getattr(type(pool), name)) for name, way in ways.items() if name}
        if self.create in getattr(pool, "__dict__", ()):
            methods[self.create] = timed_attribute(self.create, lending.creates)
        elif self.create:
            methods[self.create] = lending.creates(getattr(type(pool), self.create))
        graft(pool, {**methods, "_measured_by": lambda: binding})
        with suppress(Exception):  # a pool may make what it tells at first sight, which is not to be a collection's
            self.read(original(pool))

    def _succeeded(self, make: Callable[..., Any], binding: Binding, lending: Lending) -> Callable[..., Any]:
        """`make`, the pool's method that makes another pool; where that is to take its place, it is measured."""

        def successor(pool: Any, /, *args: Any, **kwargs: Any) -> Any:
            made = make(pool, *args, **kwargs)  # it may be of the graft's class, and have the timed creator
            ungraft(made)
            give_back(made, self.create)
            if binding.target is not pool and self._holder(pool) is binding:
                try:
                    self._measure(made, binding, lending)
                except Exception:
                    _log.exception("the pool that takes the place of the one of %s is not measured", binding.path)
            return made

        return successor

    def _holder(self, pool: Any) -> Binding | None:
        """The open binding that measures the pool, be it the pool's own or that of what has the pool."""
        found = getattr(type(pool), "_measured_by", None)
        binding: Binding | None = None if found is None else found()
        if binding is None or binding.closed or (target := binding.target) is None:
            return None
        return binding if self.pool_of(target) is pool else None


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
