"""Grafting: giving one object methods of ours without taking its identity or its class's behaviour."""

import copyreg
import sysconfig
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from sys import getrefcount
from typing import Any

from manometer.errors import UnsupportedError

__all__ = ["Methods", "graft", "grafted_class", "set_class", "ungraft"]

Methods = dict[str, Callable[..., Any]]
"""Methods by their names, to be put in front of those of an object's class."""


def graft(target: Any, methods: Methods, *, bare_clones: bool = False) -> type:
    """Put `methods` in front of those of the object's class, for this object alone, and return its new class.

    The object's class becomes a subclass of its own of the same name, so `isinstance`, `super()`
    and the library's private state work on. A pickled or copied object is of the plain class.
    bare_clones: objects that the object makes by calling its class are of the plain class too.
    Raises UnsupportedError where the class cannot be extended.
    """
    try:
        grafted = grafted_class(type(target), methods, bare_clones=bare_clones)
        set_class(target, grafted)
    except TypeError as error:
        raise UnsupportedError(f"{target!r} cannot be instrumented: its class takes no subclass ({error})") from error
    with suppress(TypeError, AttributeError):  # where there is no dictionary, or it is not for anyone to set
        _quicken(target)
    return grafted


def ungraft(target: Any, grafted: type | None = None) -> None:
    """Give the object its own class back, where it has a graft.

    grafted: the graft to take off; any other one stays.
    """
    kind = type(target)
    if grafted is None or kind is grafted:
        set_class(target, kind.__dict__.get("_grafted_on", kind))


def grafted_class(plain: Any, methods: Methods, *, bare_clones: bool = False) -> type:
    """The class that a graft gives to objects of the plain one. TypeError where that takes no subclass."""

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        reduced = plain.__reduce_ex__(self, protocol)
        if isinstance(reduced, str):
            return reduced
        rebuild, arguments, *state = reduced
        # pickle would hold `__newobj__` to the object's very class.
        if rebuild is copyreg.__newobj__:  # type: ignore[attr-defined]
            rebuild = plain.__new__
        rebuild, *arguments = [plain if each is grafted else each for each in (rebuild, *arguments)]
        return (rebuild, tuple(arguments), *state)

    body = {
        "__slots__": (),
        "__module__": plain.__module__,
        "__qualname__": plain.__qualname__,
        "__doc__": plain.__doc__,
        "__reduce_ex__": __reduce_ex__,
        "_grafted_on": plain,
    }
    meta: Any = type(plain)
    if bare_clones:
        meta, body["__new__"] = _like(meta, {"__call__": _bare_call(meta)}), _bare_new
    grafted = _subclass(plain, meta, body | methods)
    return grafted


def _subclass(plain: type, meta: Any, body: dict[str, Any]) -> type:
    """A subclass that is made without a call of the program's `__init_subclass__`: it is no class of the program."""
    if not any("__init_subclass__" in vars(base) for base in plain.__mro__[:-1]):
        made: type = meta(plain.__name__, (plain,), body)
        return made
    # `type` calls the first `__init_subclass__` in the order of the bases, but takes the layout of an object from
    # the first base. So while the class is made, and no longer, `_Silent` is last as a base and first in the order.
    meta = _like(meta, {"mro": lambda cls: [cls, _Silent, *plain.__mro__]})
    made = meta(plain.__name__, (plain, _Silent), body)
    del meta.mro
    made.__bases__ = (plain,)
    return made


class _Silent:
    """A base whose subclasses are made without a call of any other `__init_subclass__`."""

    __slots__ = ()

    def __init_subclass__(cls, **_: object) -> None:
        """Call no other."""


def _like(meta: Any, methods: dict[str, Any]) -> Any:
    """A class of classes like `meta`, with methods of ours."""
    return type(meta)(meta.__name__, (meta,), {"__module__": meta.__module__, **methods})


def _bare_call(meta: Any) -> Callable[..., Any]:
    """What calling a class does, but that a grafted class makes an object of the plain one."""

    def __call__(cls: Any, *args: Any, **kwargs: Any) -> Any:
        plain = cls.__dict__.get("_grafted_on")
        return meta.__call__(cls, *args, **kwargs) if plain is None else plain(*args, **kwargs)

    return __call__


def _bare_new(cls: Any, *args: Any, **kwargs: Any) -> Any:
    """A grafted class's `__new__`, for who calls it without calling the class."""
    plain = next(base for base in cls.__mro__ if "_grafted_on" in base.__dict__).__dict__["_grafted_on"]
    made = plain if "_grafted_on" in cls.__dict__ else cls
    if plain.__new__ is object.__new__:  # it takes arguments only for a class that has no other `__new__`
        return object.__new__(made)
    return plain.__new__(made, *args, **kwargs)


def set_class(target: Any, kind: type) -> None:
    """Set the object's class, past a `__setattr__` of its own."""
    object.__dict__["__class__"].__set__(target, kind)


def _quicken(target: Any) -> None:
    """Give the object's own methods the speed back that they had with its attributes.

    Setting the class leaves the attributes in a dictionary that shares its keys with those of other
    objects, from which CPython cannot read the quick way; from one with keys of its own it can.
    """
    if sysconfig.get_config_var("Py_GIL_DISABLED"):  # other threads may read the dictionary meanwhile
        return
    # A dictionary that anyone else holds stays: what they write to it is the object's too.
    if type(target.__dict__) is dict and _references(target) == _references(_Alone()):
        # Copied and set by one C call, in the midst of which no other thread can write an attribute.
        deque(map(object.__setattr__, (target,), ("__dict__",), map(dict, (target.__dict__,))), maxlen=0)


class _Alone:
    """An object whose dictionary nobody else holds."""


def _references(target: Any) -> int:
    """The references to the object's dictionary, as this interpreter counts them here.

    How many of them are this function's own differs between interpreters. So the figure tells something only
    beside the figure of an object that is known to hold its dictionary alone.
    """
    return getrefcount(target.__dict__)
