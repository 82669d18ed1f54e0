"""Families and meters of catalogue rows."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from prometheus_client import Metric
from prometheus_client.samples import Sample

from manometer.catalogue import MetricSpec
from manometer.errors import MetricError
from manometer.meters.meter import Meter

__all__ = ["Pulled", "family", "meter", "pulled", "pulled_sample"]

M = TypeVar("M", bound=Meter[Any])

Pulled = tuple[MetricSpec, Mapping[str, str], float]
"""One figure as an object told it: which metric, the values of its attributes, the value."""


def family(row: MetricSpec) -> Metric:
    """The metric's family, without samples."""
    return Metric(row.family_name, row.help, row.prometheus_type, _unit(row))


def meter(row: MetricSpec, kind: type[M], **settings: Any) -> M:
    """A meter of the metric, on no registry; MetricError where the metric is of another kind.

    settings: what its kind alone takes, such as a histogram's `native_schema`.
    """
    if kind.kind != row.prometheus_type:
        raise MetricError(f"{row.name!r} is a {row.prometheus_type}, not a {kind.kind}")
    if row.buckets:
        settings = {"buckets": row.buckets, **settings}
    return kind(row.family_name, row.help, row.labels, unit=_unit(row), registry=None, **settings)


def pulled(figures: Iterable[Pulled]) -> list[Metric]:
    """The families of figures that objects told, in the order in which they first came."""
    families: dict[str, Metric] = {}
    for row, attributes, value in figures:
        if row.name not in families:
            families[row.name] = family(row)
        families[row.name].samples.append(pulled_sample(row, attributes, value))
    return list(families.values())


def pulled_sample(row: MetricSpec, attributes: Mapping[str, str], value: float) -> Sample:
    """The sample of one figure, its labels in the catalogue's order."""
    values = [attributes[attribute] for attribute in row.attributes]
    return Sample(row.prometheus_name, dict(zip(row.labels, values, strict=True)), float(value))


def _unit(row: MetricSpec) -> str:
    return {"s": "seconds", "By": "bytes"}.get(row.unit, "")
