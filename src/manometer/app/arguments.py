"""What a program passes to `start` and its siblings in a wrong place: told with the call that was probably meant."""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.errors import ConfigError
from manometer.redaction import brief

__all__ = ["expect"]


def expect(kind: type, given: object, place: str, call: str = "start") -> None:
    """Raise ConfigError where what is given there is of another kind, with the call that was probably meant."""
    if isinstance(given, kind):
        return
    shown, meant = type(given).__name__, None  # the values of a mapping may be secret
    match given:
        case int():
            shown = repr(given)
            meant = f"start(port={shown})" if call == "start" else None  # an application has no port
        case str() | os.PathLike():
            shown = brief(repr(os.fspath(given)))
            meant = f"{call}(path={shown})"
        case Mapping():
            meant = f"{call}(**settings)"
        case Settings():
            meant = "Manometer(settings).start()" if call == "start" else None
        case type():
            shown = f"the class {given.__name__}"
        case CollectorRegistry():
            meant = "Manometer(registry=registry)"
    raise ConfigError(f"{place} takes a {kind.__name__} object, not {shown}{f'; write {meant}' if meant else ''}")
