"""What a receiver makes of OTLP metrics for Prometheus, by the written rules, and what a scrape gives, in one form.

Source of the rules: OpenTelemetry specification, "Prometheus and OpenMetrics compatibility", OTLP metric points to
Prometheus.
"""

import re
from collections.abc import Iterable
from math import inf
from typing import Any, NamedTuple

from prometheus_client.openmetrics.parser import text_string_to_metric_families

__all__ = ["Told", "metrics", "points", "resource", "scraped", "size", "translated"]

_UNITS = {"s": "seconds", "By": "bytes", "ms": "milliseconds", "d": "days", "V": "volts", "%": "percent"}


class Told(NamedTuple):
    """Samples by name and labels: their values, exemplars, and exponential buckets."""

    values: dict[Any, float]
    exemplars: dict[Any, tuple[dict[str, str], float]]
    natives: dict[Any, Any]


def points(requests: Iterable[Any]) -> dict[str, Any]:
    """The metrics by their OpenTelemetry names."""
    return {metric.name: metric for metric in metrics(requests)}


def size(request: Any) -> int:
    """How many points it has."""
    return sum(len(getattr(each, each.WhichOneof("data")).data_points) for each in metrics([request]))


def resource(request: Any) -> dict[str, str]:
    """The attributes of who sent the request."""
    (sent,) = request.resource_metrics
    return {each.key: each.value.string_value for each in sent.resource.attributes}


def translated(requests: Iterable[Any]) -> Told:
    """What these requests come to."""
    told = Told({}, {}, {})
    for metric in metrics(requests):
        kind = metric.WhichOneof("data")
        name = _name(metric, kind)
        for point in getattr(metric, kind).data_points:
            labels = _labels(point.attributes)
            if kind == "histogram":
                _add_histogram(told, name, labels, point)
            elif kind == "exponential_histogram":
                told.natives[name, labels] = _native(point)
            elif kind == "summary":
                for each in point.quantile_values:
                    told.values[name, labels | {("quantile", each.quantile)}] = each.value
                told.values[f"{name}_count", labels] = point.count
                told.values[f"{name}_sum", labels] = point.sum
            else:
                assert (name, labels) not in told.values, f"{name} comes twice"
                told.values[name, labels] = point.as_double
                for exemplar in point.exemplars:
                    told.exemplars[name, labels] = _exemplar(exemplar)
    return told


def scraped(openmetrics: str) -> Told:
    """What a scrape comes to. Creation times are left out: OTLP has them in the points."""
    told = Told({}, {}, {})
    for family in text_string_to_metric_families(openmetrics):
        for sample in family.samples:
            if sample.name.endswith("_created"):
                continue
            pairs = {
                key: float(value) if key in ("le", "quantile") else value for key, value in sample.labels.items()
            }
            key = sample.name, frozenset(pairs.items())
            told.values[key] = sample.value
            if sample.exemplar is not None:
                told.exemplars[key] = dict(sample.exemplar.labels), sample.exemplar.value
    return told


def metrics(requests: Iterable[Any]) -> Iterable[Any]:
    """Each metric of each request."""
    for request in requests:
        for of_resource in request.resource_metrics:
            for of_scope in of_resource.scope_metrics:
                yield from of_scope.metrics


def _name(metric: Any, kind: str) -> str:
    words = re.sub(r"[^a-zA-Z0-9_:]", "_", metric.name)
    unit = "ratio" if metric.unit == "1" and kind == "gauge" else _UNITS.get(metric.unit, "")
    if unit and unit not in words.split("_"):
        words += f"_{unit}"
    if kind == "sum" and metric.sum.is_monotonic:
        assert metric.sum.aggregation_temporality == 2
        words = words.removesuffix("_total") + "_total"
    return words


def _labels(attributes: Iterable[Any]) -> frozenset[Any]:
    pairs = {re.sub(r"[^a-zA-Z0-9_]", "_", each.key): each.value.string_value for each in attributes}
    return frozenset((name, _value(name, text)) for name, text in pairs.items())


def _value(label: str, text: str) -> str | float:
    """The bounds of buckets are numbers, however they are written."""
    return float(text) if label in ("le", "quantile") else text


def _add_histogram(told: Told, name: str, labels: frozenset[Any], point: Any) -> None:
    running = 0
    bounds = [*point.explicit_bounds, inf]
    for bound, count in zip(bounds, point.bucket_counts, strict=True):
        running += count
        told.values[f"{name}_bucket", labels | {("le", bound)}] = running
    assert running == point.count
    told.values[f"{name}_count", labels] = point.count
    if point.HasField("sum"):
        told.values[f"{name}_sum", labels] = point.sum
    for exemplar in point.exemplars:
        place = min(bound for bound in bounds if exemplar.as_double <= bound)
        told.exemplars[f"{name}_bucket", labels | {("le", place)}] = _exemplar(exemplar)


def _native(point: Any) -> Any:
    """Scale, sum, count, zero count, and the buckets of both signs by Prometheus's numbers."""
    positive, negative = (
        {each.offset + 1 + at: count for at, count in enumerate(each.bucket_counts) if count}
        for each in (point.positive, point.negative)
    )
    return point.scale, point.sum, point.count, point.zero_count, positive, negative


def _exemplar(exemplar: Any) -> tuple[dict[str, str], float]:
    labels = {each.key: each.value.string_value for each in exemplar.filtered_attributes}
    for name, value in (("trace_id", exemplar.trace_id), ("span_id", exemplar.span_id)):
        if value:
            labels[name] = value.hex()
    return labels, exemplar.as_double
