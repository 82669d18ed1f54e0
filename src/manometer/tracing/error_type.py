"""The name of an exception's class, as it goes into a label and a span."""

from typing import Any

__all__ = ["error_type", "exception_type"]

_NAMELESS = "_OTHER"  # OpenTelemetry's word for an error whose type has no name

_qualname: Any = type.__dict__["__qualname__"].__get__
"""The name that the interpreter keeps of a class, past what a metaclass says of it."""
_module: Any = type.__dict__["__module__"].__get__


def error_type(error: BaseException) -> str:
    """The qualified name of the class, in characters that UTF-8 can write; never raises."""
    name = _qualname(type(error))
    return _written(name) or _NAMELESS


def exception_type(error: BaseException) -> str:
    """The same with its module, as spans have it, unless it is an exception of Python's own; never raises."""
    module = _module(type(error))
    name = error_type(error)
    return name if module == "builtins" or not isinstance(module, str) else f"{_written(module)}.{name}"


def _written(name: str) -> str:
    return str.encode(name, errors="backslashreplace").decode()
