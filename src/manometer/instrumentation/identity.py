"""Identity: the attributes that tell the series of one object from those of its siblings."""

from collections.abc import Mapping
from types import MappingProxyType

from manometer.errors import BindingError
from manometer.meters.labels import OTHER

__all__ = ["NONE", "Identity", "check", "folded"]

Identity = Mapping[str, str]
"""Attributes by their OpenTelemetry names."""

NONE: Identity = MappingProxyType({})
"""No attributes."""

_CLOSED = frozenset({"pool.kind"})  # attributes whose values are a closed set


def check(identity: Identity, target: object) -> None:
    """Raise BindingError where a value is no text, is empty, or cannot be written."""
    for attribute, value in identity.items():
        if not isinstance(value, str) or not value:
            raise BindingError(
                f"the {attribute} of a {type(target).__qualname__} is {value!r}; give it a short name, as text"
            )
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BindingError(f"the {attribute} {value!r} is no text that UTF-8 can write; give another") from None


def folded(identity: Identity) -> Identity:
    """The identity that all objects past the cap share."""
    return {name: value if name in _CLOSED else OTHER for name, value in identity.items()}
