"""The catalogue as a registry of OpenTelemetry Weaver: a manifest, and a file of definitions.

Both are JSON, which is YAML too. What the semantic conventions define is imported from their registry.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from manometer.catalogue import SUBJECTS, Convention, MetricSpec
from manometer.catalogue.attributes import OURS
from manometer.errors import ConfigError

__all__ = ["definitions", "manifest", "text", "write"]

_STABILITY = "development"
_SEMCONV = Convention.SEMCONV.value.rpartition(" ")[2]


def manifest() -> dict[str, Any]:
    """What the registry is, and what it depends on.

    The schema URL is a name: `.invalid` is reserved, and leads nowhere.
    """
    return {
        "schema_url": f"https://manometer.invalid/schemas/{version('manometer')}",
        "description": "What Manometer measures of caches, pools, engines and the Python runtime.",
        "stability": _STABILITY,
        "dependencies": [
            {
                "schema_url": f"https://opentelemetry.io/schemas/{_SEMCONV}",
                "registry_path": "https://github.com/open-telemetry/semantic-conventions/archive/refs/tags/"
                f"v{_SEMCONV}.zip[model]",
            }
        ],
    }


def definitions() -> dict[str, Any]:
    """Every attribute and metric of our own, and the imports of those that the semantic conventions define."""
    rows = [row for specs in SUBJECTS.values() for row in specs]
    return {
        "file_format": "definition/2",
        "imports": {"metrics": [row.name for row in rows if row.convention is Convention.SEMCONV]},
        "attributes": [_attribute(key, _values(rows, key)) for key in OURS],
        "metrics": [_metric(row) for row in rows if row.convention is not Convention.SEMCONV],
    }


def write(folder: Path) -> list[Path]:
    """Write the registry's two files, in a folder that is made where there is none; return their paths.

    ConfigError where they cannot be written.
    """
    files = {folder / "manifest.yaml": manifest(), folder / "manometer.yaml": definitions()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, document in files.items():
            path.write_text(text(document), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the registry cannot be written to {folder}: {error.strerror}") from None
    return list(files)


def text(document: dict[str, Any]) -> str:
    """The document as it stands in its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _values(rows: list[MetricSpec], attribute: str) -> list[str]:
    """The closed set of the attribute's values, in all its metrics together; empty where any text will do."""
    return list(dict.fromkeys(value for row in rows for value in row.values.get(attribute, ())))


def _attribute(key: str, values: list[str]) -> dict[str, Any]:
    told = OURS[key]
    members = [{"id": value, "value": value, "stability": _STABILITY} for value in values]
    return {
        "key": key,
        "type": {"members": members} if values else "string",
        "brief": told.help,
        "examples": [told.example],
        "stability": _STABILITY,
    }


def _metric(row: MetricSpec) -> dict[str, Any]:
    return {
        "name": row.name,
        "instrument": row.kind.value,
        "unit": row.unit,
        "brief": row.help,
        "stability": _STABILITY,
        "attributes": [{"ref": attribute, "requirement_level": "required"} for attribute in row.attributes],
    }
