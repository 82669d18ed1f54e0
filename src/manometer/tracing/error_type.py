"""The name of an exception's class, as it goes into a label and a span."""

from typing import Any

__all__ = ["error_type"]

_NAMELESS = "_OTHER"  # OpenTelemetry's word for an error whose type has no name

_qualname: Any = type.__dict__["__qualname__"].__get__
"""The name that the interpreter keeps of a class, past what a metaclass says of it."""


def error_type(error: BaseException) -> str:
    """The qualified name of the class, in characters that UTF-8 can write; never raises."""
    name = _qualname(type(error))
    return str.encode(name, errors="backslashreplace").decode() or _NAMELESS
