"""Values that a file gives, in the place of defaults."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar, cast

from manometer.documents.nearest import nearest
from manometer.errors import ConfigError
from manometer.mixin.thresholds.duration import Duration

__all__ = ["overlay"]

T = TypeVar("T")


def overlay(default: T, value: object, path: str) -> T:
    """`value` in the shape and type of `default`, with the default's parts where it says nothing.

    path: where in the file it stands, for ConfigError.
    """
    if is_dataclass(default):
        parts = {row.name: getattr(default, row.name) for row in fields(default)}
        return cast(T, replace(cast(Any, default), **_parts(parts, value, path)))
    if isinstance(default, Mapping):
        return cast(T, MappingProxyType({**default, **_parts(default, value, path)}))
    if isinstance(default, Duration):
        return cast(T, Duration(str(value)))
    if isinstance(default, float | int):
        if isinstance(value, bool) or not isinstance(value, float | int):
            raise ConfigError(f"{path} is {value!r}; it takes a number")
        if value < 0 or (path.endswith("_ratio") and value > 1):
            raise ConfigError(
                f"{path} is {value}; it takes a number from 0{' to 1' if path.endswith('_ratio') else ''}"
            )
        return cast(T, value)
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ConfigError(f"{path} is {value!r}; it takes a list of names")
        return cast(T, tuple(value))
    if not isinstance(value, str):
        raise ConfigError(f"{path} is {value!r}; it takes text")
    return cast(T, value)


def _parts(defaults: Mapping[str, Any], values: object, path: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path or 'the configuration'} is {values!r}; it takes keys: {', '.join(defaults)}")
    parts = {}
    for key, value in values.items():
        where = f"{path}.{key}" if path else str(key)
        if key not in defaults:
            raise ConfigError(f"unknown key {where!r}; {nearest(key, defaults)}")
        parts[key] = overlay(defaults[key], value, where)
    return parts
