"""Families and meters of catalogue rows."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.samples import Sample

from manometer.catalogue import Kind, MetricSpec
from manometer.meters.counter import Counter
from manometer.meters.gauge import Gauge
from manometer.meters.histogram import Histogram

__all__ = ["Pulled", "family", "meter", "pulled"]

Pulled = tuple[MetricSpec, Mapping[str, str], float]
"""One figure as an object told it: which metric, its label values, the value."""


def family(row: MetricSpec) -> Metric:
    """The metric's family, without samples."""
    return Metric(row.family_name, row.help, row.kind.value, _unit(row))


def meter(row: MetricSpec, on_fold: Callable[[str], None] | None = None) -> Counter | Gauge | Histogram:
    """A meter of the metric, on no registry."""
    name, unit = row.family_name, _unit(row)
    match row.kind:
        case Kind.COUNTER:
            return Counter(name, row.help, row.labels, unit=unit, registry=None, on_fold=on_fold)
        case Kind.GAUGE:
            return Gauge(name, row.help, row.labels, unit=unit, registry=None, on_fold=on_fold)
        case Kind.HISTOGRAM:
            return Histogram(
                name, row.help, row.labels, unit=unit, registry=None, buckets=row.buckets, on_fold=on_fold
            )


def pulled(figures: Iterable[Pulled]) -> list[Metric]:
    """The families of figures that objects told, in the order in which they first came."""
    families: dict[str, Metric] = {}
    for row, labels, value in figures:
        if row.name not in families:
            families[row.name] = family(row)
        families[row.name].samples.append(pulled_sample(row, labels, value))
    return list(families.values())


def pulled_sample(row: MetricSpec, labels: Mapping[str, str], value: float) -> Sample:
    """The sample of one figure, its labels in the catalogue's order."""
    return Sample(row.prometheus_name, {label: labels[label] for label in row.labels}, float(value), None, None)


def _unit(row: MetricSpec) -> str:
    return {"s": "seconds", "By": "bytes"}.get(row.unit, "")
