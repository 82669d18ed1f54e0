"""Drop-ins: what stands for an object whose class takes no graft, such as one of compiled code."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from manometer.errors import UnsupportedError
from manometer.instrumentation.graft import graft, ungraft

__all__ = ["is_drop_in", "measurable", "original"]

_OF_ITS_OWN = frozenset({
    *("__class__", "__dict__", "__weakref__", "__slots__", "__module__", "__doc__"),
    *("__annotate__", "__annotate_func__"),
    *("__new__", "__init__", "__del__", "__init_subclass__", "__subclasshook__", "__class_getitem__"),
    *("__getattribute__", "__getattr__", "__setattr__", "__delattr__"),
})  # fmt: skip


def measurable(target: Any) -> Any:
    """The object itself, where it takes a graft; else a drop-in, which does by the object whatever it is asked to do.

    A drop-in takes a graft, and is an instance of the object's class to `isinstance`. What is done to the object
    itself is not measured.
    """
    try:
        ungraft(target, graft(target, {}))
    except UnsupportedError:
        return _drop_in(target)
    return target


def original(target: Any) -> Any:
    """What a drop-in stands for; of any other object, the object itself."""
    return object.__getattribute__(target, "_stands_for") if is_drop_in(type(target)) else target


def is_drop_in(kind: type) -> bool:
    """Whether objects of the class are drop-ins: what they stand for calls no method of theirs."""
    return issubclass(kind, _DropIn)


class _DropIn:
    """Passes on what it is asked for. The class of each drop-in passes on the methods of its object, too."""

    __slots__ = ("__weakref__", "_stands_for")
    _stands_for: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(original(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(original(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(original(self), name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A copy is one of the object."""
        return original(self).__reduce_ex__(protocol)


def _drop_in(target: Any) -> Any:
    kind = type(target)
    body: dict[str, Any] = {
        "__slots__": (),
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__class__": property(lambda _: kind),
    }
    for name in dir(kind):
        method = getattr(kind, name, None)
        inherited = method is getattr(object, name, None) and name.startswith("__")
        if callable(method) and name not in _OF_ITS_OWN and not inherited:
            body[name] = _passing_on(name, method)
    made: Any = _DropIn.__new__(type(kind.__name__, (_DropIn,), body))
    object.__setattr__(made, "_stands_for", target)
    return made


def _passing_on(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that calls the object's; where that returns the object, such as at `with`, it returns the drop-in."""

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        target = original(self)
        result = getattr(target, name)(*args, **kwargs)
        return self if result is target else result

    async def call_later(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        target = original(self)
        result = await getattr(target, name)(*args, **kwargs)
        return self if result is target else result

    return wraps(method)(call_later if iscoroutinefunction(method) else call)
