"""A context manager of a pool's, measured: what it gives is lent for the length of the block."""

from collections.abc import Callable, Generator
from contextlib import AsyncContextDecorator, ContextDecorator
from typing import Any

from manometer.instrumentation.clock import Clock

__all__ = ["block_of"]


def block_of(
    lent: Any, pool: Any, lends: Callable[..., Callable[..., Any]], used: Callable[[float], None], clock: Clock
) -> Any:
    """What stands for `lent`, which the pool gave: to enter it is a request, the block a use.

    lends: wraps what lends a resource, see `Lending.lends`; used: hears of the seconds of each use.
    """
    kind = _Block
    if hasattr(type(lent), "__await__"):
        kind = _AwaitableBlock
    elif isinstance(lent, ContextDecorator):
        kind = _Decorator
    elif isinstance(lent, AsyncContextDecorator):
        kind = _AsyncDecorator
    return kind(lent, pool, lends, used, clock)


class _Block:
    def __init__(
        self,
        lent: Any,
        pool: Any,
        lends: Callable[..., Callable[..., Any]],
        used: Callable[[float], None],
        clock: Clock,
    ) -> None:
        self._lent, self._pool, self._lends, self._used, self._clock = lent, pool, lends, used, clock
        self._since: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lent, name)

    def __enter__(self) -> Any:
        enter = self._lends(lambda _: self._lent.__enter__(), began_use=self._began)
        return enter(self._pool)

    def __exit__(self, *exception: object) -> Any:
        self._end()
        return self._lent.__exit__(*exception)

    async def __aenter__(self) -> Any:
        async def ask(_: Any) -> Any:
            return await self._lent.__aenter__()

        return await self._lends(ask, began_use=self._began)(self._pool)

    async def __aexit__(self, *exception: object) -> Any:
        self._end()
        return await self._lent.__aexit__(*exception)

    def _began(self, _key: int, _resource: object, now: float) -> None:
        self._since = now

    def _end(self) -> None:
        since, self._since = self._since, None
        if since is not None:
            self._used(self._clock() - since)


class _AwaitableBlock(_Block):
    """One that may be awaited in place of a block: then the use lasts until the resource is given back."""

    def __await__(self) -> Generator[Any, Any, Any]:
        async def ask(_: Any) -> Any:
            return await self._lent

        found: Generator[Any, Any, Any] = self._lends(ask)(self._pool).__await__()
        return found


class _Decorator(_Block, ContextDecorator):
    """One that may decorate a function: each call of that is a block."""

    def _recreate_cm(self) -> Any:
        """What a call enters, by the standard library's own word for it."""
        return block_of(self._lent._recreate_cm(), self._pool, self._lends, self._used, self._clock)


class _AsyncDecorator(_Block, AsyncContextDecorator):
    """The same of a coroutine function."""

    _recreate_cm = _Decorator._recreate_cm
