"""Which adapter measures an object: that of the library which the object's class comes from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "Adapter", "adapter_of", "listed"]

Adapter = Callable[[Any, Bind], Any]
"""Measures an object, and returns what the program is to use: the object, or a drop-in of it."""

GROUP = "manometer.adapters"
"""The entry points of installed packages that bring adapters: the name of a library to a module, or another object,
that has an adapter by the name of each subject that it measures, such as `cache`."""


def adapter_of(
    target: object, subject: str, ours: Mapping[str, str], wanted: str, otherwise: Adapter | None = None
) -> Adapter:
    """The subject's adapter for an object, by the library of its nearest base or, for a function, of its module.

    ours: the libraries whose adapters are parts of the kit, and the modules that have them; wanted: what the caller
    takes, for the error; otherwise: the adapter of what no library has one for.
    Raises UnsupportedError where there is none, where several packages bring one, or where a package that should
    bring it cannot be imported.
    """
    for library in _libraries(target):
        if library in ours:
            found: Adapter = getattr(import_module(ours[library]), subject)
            return found
        brought = _brought(library, subject)
        if brought is not None:
            return brought
    if otherwise is not None:
        return otherwise
    name = f"{type(target).__module__}.{type(target).__qualname__}"
    raise UnsupportedError(
        f"no instrumentation for a {name}; pass {wanted}, or install a package with an adapter for it"
    )


def listed(kinds: type | tuple[type, ...]) -> str:
    """Classes by their names, for an error."""
    each = kinds if isinstance(kinds, tuple) else (kinds,)
    return " or ".join(f"a {kind.__module__}.{kind.__qualname__}" for kind in each)


def _libraries(target: object) -> Iterator[str]:
    # A decorated function has the decorator's globals, whatever module it says that it is of.
    if isinstance(target, FunctionType):
        yield target.__globals__.get("__name__", "").partition(".")[0]
    for base in type(target).__mro__:
        yield base.__module__.partition(".")[0]


def _brought(library: str, subject: str) -> Adapter | None:
    """The one adapter that installed packages bring; several packages may measure one subject each of a library."""
    found: Adapter | None = None
    source = ""
    for entry in _installed().get(library, ()):
        adapter: Adapter | None = getattr(_loaded(entry), subject, None)
        if adapter is None or adapter is found:
            continue
        if found is not None:
            raise UnsupportedError(
                f"{source} and {entry.value} both measure {subject!r} of {library}; "
                "uninstall the package of one of them"
            )
        found, source = adapter, entry.value
    return found


@cache
def _installed() -> Mapping[str, Sequence["EntryPoint"]]:
    """The entry points of the group, by library; they are read once, for the first object of no library of ours."""
    from importlib.metadata import entry_points  # doubles the time to import the kit

    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, []).append(entry)
    return found


def _loaded(entry: "EntryPoint") -> object:
    try:
        loaded: object = entry.load()
    except Exception as error:
        raise UnsupportedError(
            f"{entry.value}, the adapter of {entry.name}, cannot be imported ({error!r}); mend its package"
        ) from error
    return loaded
