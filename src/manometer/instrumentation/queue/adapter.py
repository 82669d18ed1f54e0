"""What an adapter of a queue declares: what it reads off the queue, and by which methods items come and go."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, Generic, TypeVar, cast

from opentelemetry import trace

from manometer.catalogue import queue as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.adapters import listed
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.drop_in import measurable, original
from manometer.instrumentation.graft import graft, ungraft
from manometer.instrumentation.queue.givers import Givers
from manometer.instrumentation.stays import Stays
from manometer.registry.catalogued import Pulled

__all__ = ["QueueAdapter", "QueueState"]

Q = TypeVar("Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """What a queue tells of itself at one moment. What it cannot tell stays None, and has no series.

    items: how many wait in it; limit: how many it takes at most.
    """

    items: int | None = None
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class QueueAdapter(Generic[Q]):
    """The adapter of a library's queues.

        queue = QueueAdapter(takes=foo.Queue, read=read, puts=("put", "put_nowait"), gets=("get", "get_nowait"))

    takes: their classes. read: tells the state of one, at each collection; it must neither wait nor do I/O.
    puts: the methods that put their first argument into the queue; gets: those that take an item out and return it.
    None of them calls another of the same kind. Coroutines stay coroutines.
    rejections: the exceptions by which the queue refuses an item because it is full; a queue that refuses none names
    none, and has no series of refusals. offers: the methods that raise them, where these are not the `puts`.
    """

    takes: type[Q] | tuple[type[Q], ...]
    read: Callable[[Q], QueueState]
    puts: tuple[str, ...] = ("put",)
    gets: tuple[str, ...] = ("get",)
    rejections: tuple[type[BaseException], ...] = ()
    offers: tuple[str, ...] = ()

    def __call__(self, queue: Q, bind: Bind) -> Q:
        """Measure a queue; returns it, or a drop-in where its class takes no other methods."""
        if not isinstance(queue, self.takes):
            raise UnsupportedError(f"{queue!r} is no queue of its library; pass {listed(self.takes)}")
        target: Any = measurable(queue)
        with bind(target, owned=queue, is_drop_in=target is not queue) as binding:
            items, plain = _Items(binding), type(target)
            methods = {name: items.put(getattr(plain, name)) for name in self.puts}
            methods |= {name: items.got(getattr(plain, name)) for name in self.gets}
            if self.rejections:
                offered = {name: methods.get(name) or getattr(plain, name) for name in self.offers or self.puts}
                methods |= {name: items.offered(offer, self.rejections) for name, offer in offered.items()}
            graft(target, methods)
            binding.undoes(ungraft)
            binding.pulls(lambda target: _figures(self.read(original(target))))
        return cast(Q, target)


class _Items:
    """Counts the items that come and go and those that are refused, times their waits, and links their traces."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._stays, self._clock = Stays(binding.clock), binding.clock
        self._put = binding.counter(rows.OPERATIONS, {"queue.operation.type": "put"}).tick
        self._got = binding.counter(rows.OPERATIONS, {"queue.operation.type": "get"}).tick
        self._waited = binding.histogram(rows.WAIT_DURATION).observe
        self._givers = Givers()

    def put(self, put: Callable[..., Any]) -> Callable[..., Any]:
        """`put`, which has an item wait. The wait begins before the call: another thread may get the item in it."""
        began, ended, clock, count = self._stays.began, self._withdrawn, self._clock, self._put
        given = self._givers.put

        def measured(queue: Any, item: Any, /, *args: Any, **kwargs: Any) -> Any:
            began(id(item), None, clock())
            if trace._TRACER_PROVIDER is not None:
                given(id(item))
            try:
                result = put(queue, item, *args, **kwargs)
            except BaseException:
                ended(id(item))
                raise
            count()
            return result

        async def measured_later(queue: Any, item: Any, /, *args: Any, **kwargs: Any) -> Any:
            began(id(item), None, clock())
            if trace._TRACER_PROVIDER is not None:
                given(id(item))
            try:
                result = await put(queue, item, *args, **kwargs)
            except BaseException:
                ended(id(item))
                raise
            count()
            return result

        return measured_later if iscoroutinefunction(put) else measured

    def got(self, get: Callable[..., Any]) -> Callable[..., Any]:
        """`get`, which ends the wait of the item that it returns."""
        over = self._over

        def measured(queue: Any, /, *args: Any, **kwargs: Any) -> Any:
            item = get(queue, *args, **kwargs)
            over(item)
            return item

        async def measured_later(queue: Any, /, *args: Any, **kwargs: Any) -> Any:
            item = await get(queue, *args, **kwargs)
            over(item)
            return item

        return measured_later if iscoroutinefunction(get) else measured

    def offered(self, offer: Callable[..., Any], rejections: tuple[type[BaseException], ...]) -> Callable[..., Any]:
        """`offer`, which raises one of these where the queue refuses the item."""
        refused = self._binding.counter(rows.REJECTIONS).tick

        def measured(queue: Any, /, *args: Any, **kwargs: Any) -> Any:
            try:
                return offer(queue, *args, **kwargs)
            except rejections:
                refused()
                raise

        async def measured_later(queue: Any, /, *args: Any, **kwargs: Any) -> Any:
            try:
                return await offer(queue, *args, **kwargs)
            except rejections:
                refused()
                raise

        return measured_later if iscoroutinefunction(offer) else measured

    def _over(self, item: object) -> None:
        self._got()
        seconds = self._stays.ended(id(item))
        if seconds is not None:
            self._waited(seconds)
        if trace._TRACER_PROVIDER is not None:
            self._givers.taken(id(item))

    def _withdrawn(self, key: int) -> None:
        self._stays.ended(key)
        self._givers.forget(key)


def _figures(state: QueueState) -> Iterable[Pulled]:
    if state.items is not None:
        yield rows.ITEMS, {}, state.items
    if state.limit is not None:
        yield rows.ITEM_LIMIT, {}, state.limit
