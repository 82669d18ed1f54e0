"""Families and meters of catalogue rows."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from prometheus_client import Metric

from manometer.catalogue import Kind, MetricSpec
from manometer.errors import MetricError
from manometer.meters.family import Family, Group, Series
from manometer.meters.meter import Meter
from manometer.meters.metric_view import MetricView
from manometer.meters.readings import CounterReading, GaugeReading

__all__ = ["Pulled", "described", "family", "meter", "pulled", "series"]

M = TypeVar("M", bound=Meter[Any])

Pulled = tuple[MetricSpec, Mapping[str, str], float]
"""One figure as an object told it: which metric, its label values, the value."""


def described(rows: Iterable[MetricSpec]) -> list[Metric]:
    """The metrics' families without series, as a collector's `describe` gives them."""
    return [MetricView(family(row, ())) for row in rows]


def family(row: MetricSpec, series: Iterable[Series]) -> Family:
    """The metric's family of these series."""
    groups = [Group(tuple(row.labels), [*series])]
    return Family(row.family_name, row.kind.value, row.help, _unit(row), groups)


def meter(row: MetricSpec, kind: type[M], **settings: Any) -> M:
    """A meter of the metric, on no registry; MetricError where the metric is of another kind.

    settings: what its kind alone takes, such as a histogram's `native_schema`.
    """
    if kind.kind != row.kind.value:
        raise MetricError(f"{row.name!r} is a {row.kind.value}, not a {kind.kind}")
    if row.buckets:
        settings = {"buckets": row.buckets, **settings}
    return kind(row.family_name, row.help, row.labels, unit=_unit(row), registry=None, **settings)


def pulled(figures: Iterable[Pulled]) -> list[Family]:
    """The families of figures that objects told, in the order in which they first came."""
    found: dict[str, tuple[MetricSpec, list[Series]]] = {}
    for row, labels, value in figures:
        if row.name not in found:
            found[row.name] = row, []
        found[row.name][1].append(series(row, labels, value))
    return [family(row, told) for row, told in found.values()]


def series(row: MetricSpec, labels: Mapping[str, str], value: float) -> Series:
    """The series of one figure, its label values in the catalogue's order."""
    reading = CounterReading(float(value)) if row.kind is Kind.COUNTER else GaugeReading(float(value))
    return tuple([labels[label] for label in row.labels]), reading


def _unit(row: MetricSpec) -> str:
    return {"s": "seconds", "By": "bytes"}.get(row.unit, "")
