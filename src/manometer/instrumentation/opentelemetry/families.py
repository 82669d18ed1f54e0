"""OpenTelemetry's data points as families of series with readings."""

import sys
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import inf
from typing import Any, NamedTuple

from opentelemetry.sdk.metrics.export import (
    ExponentialHistogram,
    Gauge,
    Histogram,
    Metric,
    MetricsData,
    Sum,
)
from prometheus_client.samples import Exemplar, NativeHistogram
from prometheus_client.utils import floatToGoString

from manometer.instrumentation.opentelemetry.names import family_name, labels, unit_name
from manometer.meters.exponential import FINEST_SCHEMA, ExponentialBuckets
from manometer.meters.family import Family, Group, Series, Values
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading, Reading
from manometer.otlp.metrics.names import SCOPE_LABEL

__all__ = ["families_of"]


_INSTANCE = "service.instance.id"
"""The SDK makes one up for each process. Worker processes that are scraped as one have one `target_info`."""


class _Head(NamedTuple):
    """What a family has beside its series."""

    name: str
    kind: str
    help: str
    unit: str


def families_of(data: MetricsData) -> list[Family]:
    """The families, with the provider's resource as `target_info`. A metric of several scopes is one family.

    Where two scopes give one name to metrics of differing kinds, the first has it.
    """
    heads: dict[str, _Head] = {}
    groups: dict[str, dict[tuple[Values, Values], list[Series]]] = {}
    targets: dict[str, str] = {}
    for of_resource in data.resource_metrics:
        targets |= labels({key: value for key, value in of_resource.resource.attributes.items() if key != _INSTANCE})
        for of_scope in of_resource.scope_metrics:
            scope = of_scope.scope
            told = {SCOPE_LABEL: scope.name, "otel_scope_version": scope.version}
            scoped = {label: value or "" for label, value in told.items() if value or label == SCOPE_LABEL}
            for metric in of_scope.metrics:
                head = _head(metric)
                if heads.setdefault(head.name, head).kind == head.kind:
                    _add(groups.setdefault(head.name, {}), metric, scoped)
    families = [
        Family(*head, [Group(names, series, bounds) for (names, bounds), series in groups[head.name].items()])
        for head in heads.values()
    ]
    if targets:
        series = [(tuple(targets.values()), GaugeReading(1.0))]
        families.append(Family("target", "info", "Target metadata", "", [Group(tuple(targets), series)]))
    return families


def _head(metric: Metric) -> _Head:
    data = metric.data
    kind = "gauge"
    if isinstance(data, Histogram | ExponentialHistogram):
        kind = "histogram"
    elif isinstance(data, Sum) and data.is_monotonic:
        kind = "counter"
    unit = unit_name(metric.unit or "", is_gauge=isinstance(data, Gauge))
    name = family_name(metric.name, unit, kind)
    return _Head(name, kind, metric.description or "", unit if name.endswith(f"_{unit}") else "")


def _add(groups: dict[tuple[Values, Values], list[Series]], metric: Metric, scoped: Mapping[str, str]) -> None:
    data: Any = metric.data
    for point in data.data_points:
        found = {**labels(point.attributes or {}), **scoped}
        bounds: Values = ()
        reading: Reading
        if isinstance(data, ExponentialHistogram):
            bounds, reading = ("+Inf",), _exponential(point)
        elif isinstance(data, Histogram):
            bounds, reading = _bounds(point.explicit_bounds), _histogram(point)
        elif isinstance(data, Sum) and data.is_monotonic:
            exemplars = _exemplars(point)
            reading = CounterReading(float(point.value), _created(point), exemplars[-1] if exemplars else None)
        else:
            reading = GaugeReading(float(point.value))
        groups.setdefault((tuple(found), bounds), []).append((tuple(found.values()), reading))


def _bounds(finite: Iterable[float]) -> Values:
    return tuple(map(floatToGoString, (*finite, inf)))


def _histogram(point: Any) -> HistogramReading:
    running = tuple(accumulate(point.bucket_counts))
    exemplars = {bisect_left(point.explicit_bounds, each.value): each for each in _exemplars(point)}
    return HistogramReading(running, float(point.sum), _created(point), exemplars)


def _exponential(point: Any) -> HistogramReading:
    return HistogramReading((point.count,), float(point.sum), _created(point), native=_native(point))


def _native(point: Any) -> NativeHistogram:
    """Buckets of at most the width that Prometheus has. It numbers them by one more than OpenTelemetry."""
    coarser = max(point.scale - FINEST_SCHEMA, 0)
    buckets = ExponentialBuckets(point.scale - coarser, sys.maxsize)
    buckets.count, buckets.zero_count = point.count, point.zero_count
    for ours, theirs in ((buckets.positive, point.positive), (buckets.negative, point.negative)):
        for at, count in enumerate(theirs.bucket_counts):
            if count:
                index = (theirs.offset + at >> coarser) + 1
                ours[index] = ours.get(index, 0) + count
    for exemplar in _exemplars(point):
        buckets.keep(exemplar)
    return buckets.histogram(float(point.sum))


def _created(point: Any) -> float | None:
    began = point.start_time_unix_nano
    return None if not began else began / 1e9


def _exemplars(point: Any) -> Sequence[Exemplar]:
    """The oldest first. SDKs of old have none."""
    found = sorted(getattr(point, "exemplars", ()), key=lambda each: each.time_unix_nano)
    return [Exemplar(_exemplar_labels(each), float(each.value), each.time_unix_nano / 1e9) for each in found]


def _exemplar_labels(exemplar: Any) -> dict[str, str]:
    """The ids of the span, and as many of the other attributes as Prometheus takes of an exemplar's labels."""
    found = {}
    if exemplar.trace_id:
        found["trace_id"] = f"{exemplar.trace_id:032x}"
    if exemplar.span_id:
        found["span_id"] = f"{exemplar.span_id:016x}"
    size = sum(len(label) + len(value) for label, value in found.items())
    for label, value in labels(exemplar.filtered_attributes or {}).items():
        size += len(label) + len(value)
        if size > _EXEMPLAR_CHARACTERS:
            break
        found[label] = value
    return found


_EXEMPLAR_CHARACTERS = 128
"""OpenMetrics takes no more."""
