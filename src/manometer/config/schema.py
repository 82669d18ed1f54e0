"""JSON Schema of a settings file, for editors and for checks before a deployment."""

from collections.abc import Mapping
from typing import Any

from manometer.config.declared import Setting, of_files
from manometer.config.file import PROFILES, PROGRAMS

__all__ = ["schema"]


def schema(settings: Mapping[str, Setting], programs: Mapping[str, Mapping[str, Setting]]) -> dict[str, Any]:
    """The schema of a file with Manometer's settings and those of these programs.

    What stands under another program's name is not looked into. Source: https://json-schema.org, draft 2020-12.
    """
    level = {
        **_table(settings),
        "properties": {
            **_table(settings)["properties"],
            PROGRAMS: {
                "description": "Settings of programs, by their names.",
                "type": ["object", "null"],
                "properties": {name: _nullable(_table(each)) for name, each in programs.items()},
                "additionalProperties": {"type": ["object", "null"]},
                "propertyNames": {"minLength": 1},
            },
        },
    }
    profiles = {
        "description": "Settings that count over the top level where the profile of that name is chosen.",
        "type": ["object", "null"],
        "additionalProperties": {"$ref": "#/$defs/profile"},
        "propertyNames": {"minLength": 1},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of Manometer",
        **level,
        "type": ["object", "null"],
        "properties": {**level["properties"], PROFILES: profiles},
        "$defs": {"profile": _nullable(level)},
    }


def _table(settings: Mapping[str, Setting]) -> dict[str, Any]:
    properties = {name: _property(each) for name, each in settings.items()}
    both = []
    for file, each in of_files(settings).items():
        properties[file] = {"description": f"File that holds {each.name}.", "type": "string", "minLength": 1}
        both.append({"not": {"type": "object", "required": [each.name, file]}})
    for name, each in settings.items():
        both += [{"not": _given(name, other)} for other in each.instead_of]
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"allOf": both} if both else {}),
    }


def _given(*names: str) -> dict[str, Any]:
    """What has all of these, and none of them unset."""
    is_set = {"not": {"type": "null"}}
    return {"type": "object", "required": [*names], "properties": dict.fromkeys(names, is_set)}


def _property(setting: Setting) -> dict[str, Any]:
    value = dict(setting.rule.schema)
    if setting.default is None:
        value = {"anyOf": [value, {"type": "null"}]}
    said: dict[str, Any] = {"description": setting.help} if setting.help else {}
    if not setting.secret and isinstance(setting.default, bool | int | float | str | None):
        said["default"] = setting.default
    return {**said, **value}


def _nullable(table: Mapping[str, Any]) -> dict[str, Any]:
    return {**table, "type": ["object", "null"]}
