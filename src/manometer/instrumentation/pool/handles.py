"""Handles: what a pool lends and does not take back itself, because each goes back by a method of its own."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from manometer.instrumentation.graft import grafted_class, set_class
from manometer.instrumentation.pool.lending import Lending

__all__ = ["Handles"]

_USE = "_manometer_use"


class Handles:
    """The handles of one pool, which end the uses of what they stand for.

    A pool that lends one connection to several at a time hears of a return once, however many handles are out; so the
    handle itself tells. One that is lent again before it goes back has several uses, and all of them end then.
    ends: the methods of a handle by which it goes back.
    """

    def __init__(self, lending: Lending, ends: tuple[str, ...]) -> None:
        self._ended, self._ends = lending.takes_back(_ignore), ends
        self._kinds: dict[type, type] = {}

    def use(self, handle: Any) -> object:
        """What stands for a use of the handle."""
        found: _Use | None = handle.__dict__.get(_USE)
        if found is None:
            found = handle.__dict__[_USE] = _Use(self._ended)
            set_class(handle, self._kinds.get(type(handle)) or self._telling(type(handle)))
        found.times += 1
        return found

    def _telling(self, plain: Any) -> type:
        """The class of handles that tell; all of one class share it, because to make a class takes long."""
        methods = {name: _told(getattr(plain, name)) for name in self._ends if hasattr(plain, name)}
        made = self._kinds[plain] = grafted_class(plain, methods)
        return made


class _Use:
    """The uses of one handle; they end with it where nobody gives it back."""

    __slots__ = ("__weakref__", "_ended", "times")

    def __init__(self, ended: Callable[[object, object], object]) -> None:
        self._ended, self.times = ended, 0

    def over(self) -> None:
        while self.times:
            self.times -= 1
            self._ended(None, self)

    __del__ = over


def _told(method: Callable[..., Any]) -> Callable[..., Any]:
    """`method` of a handle, which ends its uses."""

    @wraps(method)
    def end(handle: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(handle, *args, **kwargs)
        finally:
            handle.__dict__[_USE].over()

    @wraps(method)
    async def end_later(handle: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return await method(handle, *args, **kwargs)
        finally:
            handle.__dict__[_USE].over()

    return end_later if iscoroutinefunction(method) else end


def _ignore(_pool: object, _use: object) -> None:
    """Nothing of the pool's has to be called."""
