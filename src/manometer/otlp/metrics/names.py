"""What a family is called in OTLP, so that a receiver gives it the very names that `/metrics` has.

Source: OpenTelemetry specification, "Prometheus and OpenMetrics compatibility".
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from manometer.catalogue import Kind, MetricSpec, Reading, spec
from manometer.meters.family import Family

__all__ = ["SCOPE_LABEL", "UNITS", "Named", "is_pulled", "named"]


SCOPE_LABEL = "otel_scope_name"
"""What tells of which of OpenTelemetry's meters a series is."""


class Named(NamedTuple):
    """The name, unit and instrument of a metric, and what its labels are called.

    kind: None for a metric that is not in the catalogue. attributes: by label; another label keeps its name.
    """

    name: str
    unit: str
    kind: Kind | None = None
    attributes: Mapping[str, str] = {}

    def keys(self, labels: Sequence[str]) -> tuple[str, ...]:
        """The attributes of these labels."""
        return tuple([self.attributes.get(label, label) for label in labels])


UNITS = {
    "days": "d",
    "hours": "h",
    "minutes": "min",
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "nanoseconds": "ns",
    "bytes": "By",
    "kibibytes": "KiBy",
    "mebibytes": "MiBy",
    "gibibytes": "GiBy",
    "tibibytes": "TiBy",
    "kilobytes": "KBy",
    "megabytes": "MBy",
    "gigabytes": "GBy",
    "terabytes": "TBy",
    "meters": "m",
    "volts": "V",
    "amperes": "A",
    "joules": "J",
    "watts": "W",
    "grams": "g",
    "celsius": "Cel",
    "hertz": "Hz",
    "percent": "%",
}
"""UCUM of Prometheus's units, as the specification pairs them."""


def named(family: Family) -> Named:
    """How OTLP names the family. The catalogue's metrics have their own OpenTelemetry names.

    Of another the unit leaves the name where a receiver puts it back.
    """
    row = _row(family)
    if row is not None:
        return Named(row.name, row.unit, row.kind, dict(zip(row.labels, row.attributes, strict=True)))
    unit = UNITS.get(family.unit)
    bare = family.name.removesuffix(f"_{family.unit}")
    # A receiver adds the unit to a whole family, but not to an `_info` behind it.
    if unit is None or not bare or bare == family.name or family.kind in ("info", "stateset"):
        return Named(family.name, "")
    return Named(bare, unit)


def is_pulled(family: Family) -> bool:
    """Whether something else counts it, and tells it when it is asked, as OpenTelemetry's observable counters are."""
    row = _row(family)
    return row is not None and row.reading is Reading.PULL


def _row(family: Family) -> MetricSpec | None:
    try:
        row = spec(f"{family.name}_total" if family.kind == "counter" else family.name)
    except KeyError:
        return None
    return row if row.prometheus_type == family.kind and row.family_name == family.name else None
