"""Families and meters of catalogue rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from prometheus_client import Metric

from manometer.catalogue import Kind, MetricSpec, label
from manometer.errors import MetricError
from manometer.meters.family import Family, Group, Series
from manometer.meters.meter import Meter
from manometer.meters.metric_view import MetricView
from manometer.meters.readings import CounterReading, GaugeReading

__all__ = ["Pulled", "described", "family", "meter", "pulled", "series"]

M = TypeVar("M", bound=Meter[Any])

Pulled = tuple[MetricSpec, Mapping[str, str], float]
"""One figure as an object told it: which metric, the values of its attributes, the value."""


def described(rows: Iterable[MetricSpec]) -> list[Metric]:
    """The metrics' families without series, as a collector's `describe` gives them."""
    return [MetricView(family(row, ())) for row in rows]


def family(row: MetricSpec, series: Iterable[Series]) -> Family:
    """The metric's family of these series."""
    return _family(row, [Group(row.labels, [*series])])


def meter(row: MetricSpec, kind: type[M], **settings: Any) -> M:
    """A meter of the metric, on no registry; MetricError where the metric is of another kind.

    settings: what its kind alone takes, such as a histogram's `native_schema`.
    """
    if kind.kind != row.prometheus_type:
        raise MetricError(f"{row.name!r} is a {row.prometheus_type}, not a {kind.kind}")
    if row.buckets:
        settings = {"buckets": row.buckets, **settings}
    return kind(row.family_name, row.help, row.labels, unit=_unit(row), registry=None, **settings)


def pulled(figures: Iterable[Pulled]) -> list[Family]:
    """The families of figures that objects told, in the order in which they first came.

    Series that lack an optional attribute have no such label.
    """
    found: dict[str, tuple[MetricSpec, dict[tuple[str, ...], list[Series]]]] = {}
    for row, attributes, value in figures:
        _, told = found.setdefault(row.name, (row, {}))
        lacking = tuple([each for each in row.optional if each not in attributes])
        told.setdefault(lacking, []).append(series(row, attributes, value, lacking))
    return [
        _family(row, [Group(_labels(row, lacking), of_them) for lacking, of_them in told.items()])
        for row, told in found.values()
    ]


def series(row: MetricSpec, attributes: Mapping[str, str], value: float, lacking: Collection[str] = ()) -> Series:
    """The series of one figure, its label values in the catalogue's order. lacking: attributes that it has not."""
    reading = CounterReading(float(value)) if row.kind is Kind.COUNTER else GaugeReading(float(value))
    return tuple([attributes[each] for each in row.attributes if each not in lacking]), reading


def _family(row: MetricSpec, groups: Sequence[Group]) -> Family:
    return Family(row.family_name, row.prometheus_type, row.help, _unit(row), groups)


def _labels(row: MetricSpec, lacking: Collection[str]) -> tuple[str, ...]:
    return tuple([label(each) for each in row.attributes if each not in lacking])


def _unit(row: MetricSpec) -> str:
    return {"s": "seconds", "By": "bytes"}.get(row.unit, "")
