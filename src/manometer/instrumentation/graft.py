"""Grafting: giving one object methods of ours without taking its identity or its class's behaviour."""

import copyreg
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from sys import getrefcount
from typing import Any

from manometer.errors import UnsupportedError

__all__ = ["graft", "ungraft"]


def graft(target: Any, methods: dict[str, Callable[..., Any]]) -> None:
    """Put `methods` in front of those of the object's class, for this object alone.

    The object's class becomes a subclass of its own of the same name, so `isinstance`, `super()`
    and the library's private state work on. A pickled or copied object is of the plain class.
    Raises UnsupportedError where the class cannot be extended.
    """
    plain: Any = type(target)

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        reduced = plain.__reduce_ex__(self, protocol)
        if isinstance(reduced, str):
            return reduced
        rebuild, arguments, *state = reduced
        # pickle would hold `__newobj__` to the object's very class.
        if rebuild is copyreg.__newobj__:  # type: ignore[attr-defined]
            rebuild = plain.__new__
        return (rebuild, tuple([plain if each is grafted else each for each in arguments]), *state)

    body = {
        "__slots__": (),
        "__module__": plain.__module__,
        "__qualname__": plain.__qualname__,
        "__doc__": plain.__doc__,
        "__reduce_ex__": __reduce_ex__,
        "_grafted_on": plain,
    }
    make: Any = type(plain)
    try:
        grafted = make(plain.__name__, (plain,), body | methods)
        _set_class(target, grafted)
    except TypeError as error:
        raise UnsupportedError(f"{target!r} cannot be instrumented: its class takes no subclass ({error})") from error
    with suppress(TypeError, AttributeError):  # where the dictionary is not for anyone to set
        _quicken(target)


def ungraft(target: Any) -> None:
    """Give the object its own class back, where it has a graft."""
    _set_class(target, type(target).__dict__.get("_grafted_on", type(target)))


def _set_class(target: Any, kind: type) -> None:
    """Set the object's class, past a `__setattr__` of its own."""
    object.__dict__["__class__"].__set__(target, kind)


def _quicken(target: Any) -> None:
    """Give the object's own methods the speed back that they had with its attributes.

    Setting the class leaves the attributes in a dictionary that shares its keys with those of other
    objects, from which CPython cannot read the quick way; from one with keys of its own it can.
    """
    attributes = getattr(target, "__dict__", None)
    # Held by the object, the variable and the argument: what anyone else holds too is not for us to replace.
    if type(attributes) is dict and getrefcount(attributes) <= 3:
        # Copied and set by one C call, in the midst of which no other thread can write an attribute.
        deque(map(object.__setattr__, (target,), ("__dict__",), map(dict, (attributes,))), maxlen=0)
