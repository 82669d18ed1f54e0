"""Which file instruments an object: the one named after the library that its class comes from."""

from collections.abc import Mapping
from importlib import import_module
from types import FunctionType, ModuleType

from manometer.errors import UnsupportedError

__all__ = ["adapter"]


def adapter(target: object, adapters: Mapping[str, str], wanted: str) -> ModuleType:
    """Import the module that instruments an object of this class, by the library of its nearest base.

    For a function it is the library that the function was defined in.
    adapters: library name to module; wanted: what the caller takes, for the error.
    Raises UnsupportedError where no base comes from one of the libraries.
    """
    # A decorated function has the decorator's globals, whatever module it says that it is of.
    modules = [target.__globals__.get("__name__", "")] if isinstance(target, FunctionType) else []
    for module in modules + [base.__module__ for base in type(target).__mro__]:
        library = module.partition(".")[0]
        if library in adapters:
            return import_module(adapters[library])
    name = f"{type(target).__module__}.{type(target).__qualname__}"
    raise UnsupportedError(f"no instrumentation for a {name}; pass {wanted}")
