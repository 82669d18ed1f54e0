"""Grafting: giving one object methods of ours without taking its identity or its class's behaviour."""

import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["graft"]


def graft(target: Any, methods: dict[str, Callable[..., Any]]) -> Callable[[], None]:
    """Put `methods` in front of those of the object's class, for this object alone; return the undo.

    The object's class becomes a subclass of its own of the same name, so `isinstance`, `super()`
    and the library's private state work on. A pickled or copied object is of the plain class.
    """
    plain = type(target)

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        reduced = plain.__reduce_ex__(self, protocol)
        if isinstance(reduced, str):
            return reduced
        rebuild, arguments, *state = reduced
        return (rebuild, tuple([plain if each is grafted else each for each in arguments]), *state)

    names = {"__module__": plain.__module__, "__qualname__": plain.__qualname__, "__doc__": plain.__doc__}
    grafted = type(plain)(
        plain.__name__, (plain,), {"__slots__": (), "__reduce_ex__": __reduce_ex__, **names, **methods}
    )
    target.__class__ = grafted
    reference = weakref.ref(target)

    def undo() -> None:
        alive = reference()
        if alive is not None and type(alive) is grafted:
            alive.__class__ = plain

    return undo
