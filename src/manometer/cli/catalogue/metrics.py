"""Every metric as plain data, for programs."""

from typing import Any

from manometer.catalogue import SUBJECTS, MetricSpec

__all__ = ["rows"]


def rows() -> list[dict[str, Any]]:
    """The metrics in the order of the catalogue, each with its names in both systems."""
    return [_row(subject, row) for subject, specs in SUBJECTS.items() for row in specs]


def _row(subject: str, row: MetricSpec) -> dict[str, Any]:
    return {
        "subject": subject,
        "name": row.name,
        "instrument": row.kind.value,
        "unit": row.unit,
        "help": row.help,
        "convention": None if row.convention is None else row.convention.value,
        "attributes": [
            {"name": attribute, "label": label, "values": list(row.values.get(attribute, ()))}
            for attribute, label in zip(row.attributes, row.labels, strict=True)
        ],
        "buckets": list(row.buckets),
        "prometheus": {"name": row.prometheus_name, "type": row.prometheus_type},
    }
