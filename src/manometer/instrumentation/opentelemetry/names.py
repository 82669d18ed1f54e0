"""What OpenTelemetry's metrics and attributes are called at `/metrics`.

Source: OpenTelemetry specification, "Prometheus and OpenMetrics compatibility", OTLP metric points to Prometheus.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from manometer.otlp.metrics.names import UNITS

__all__ = ["family_name", "labels", "unit_name"]

_UNIT_NAMES = {ucum: name for name, ucum in UNITS.items()} | {"By": "bytes", "1": "ratio"}
_PER = {
    "s": "second",
    "m": "meter",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}


def unit_name(unit: str, *, is_gauge: bool) -> str:
    """Prometheus's word for a UCUM unit, "" where it has none. Annotations such as `{request}` leave none.

    is_gauge: whether it is OpenTelemetry's gauge, whose 1 is a ratio.
    """
    bare = re.sub(r"\{[^}]*\}", "", unit)
    of, slash, per = bare.partition("/")
    if slash and per:
        return "_".join(filter(None, [_sanitized(_UNIT_NAMES.get(of, of)), "per", _sanitized(_PER.get(per, per))]))
    if bare == "1" and not is_gauge:
        return ""
    return _sanitized(_UNIT_NAMES.get(bare, bare))


def family_name(name: str, unit: str, kind: str) -> str:
    """The name of the metric's family, which a counter's `_total` is not a part of. unit: Prometheus's word."""
    found = _sanitized(name)
    if kind == "counter":
        found = found.removesuffix("_total")
    return found if not unit or unit in found.split("_") or found.endswith(f"_{unit}") else f"{found}_{unit}"


def labels(attributes: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a series. Attributes that have the same label share it, their values with `;` between them."""
    found: dict[str, list[str]] = {}
    for key in sorted(attributes):
        found.setdefault(_label(key), []).append(_text(attributes[key]))
    return {label: ";".join(values) for label, values in sorted(found.items())}


def _label(key: str) -> str:
    label = _sanitized(key)
    if label in ("le", "quantile"):  # Prometheus's own
        return f"{label}_"
    return f"key_{label}" if label[:1].isdigit() else label


def _sanitized(name: str) -> str:
    return re.sub(r"_{2,}", "_", re.sub(r"[^a-zA-Z0-9_]", "_", name))


def _text(value: Any) -> str:
    """As JSON writes it, but for a text, which is as it is."""
    return value if isinstance(value, str) else json.dumps(value, default=str)
