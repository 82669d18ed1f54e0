"""A collection as OTLP requests: what Prometheus's kinds of metrics become, in pieces that any receiver takes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from manometer.catalogue import Kind
from manometer.exposition.protobuf.fields import delimited, message, tag, text, uint
from manometer.meters.family import Family, Group, Values
from manometer.meters.parts import parts_of
from manometer.meters.readings import GaugeReading, HistogramReading
from manometer.otlp.metrics import points
from manometer.otlp.metrics.names import Named, named

__all__ = ["REQUEST_BYTES", "Metric", "Request", "metrics_of", "requests"]

REQUEST_BYTES = 2**20
"""What one request has about, before it is compressed: a quarter of what a gRPC server takes by default."""

_GAUGE, _SUM, _HISTOGRAM, _EXPONENTIAL, _SUMMARY = 5, 7, 9, 10, 11  # fields of a Metric
_DELTA, _CUMULATIVE = uint(2, 1), uint(2, 2)
_RISING = uint(3, 1)

Point = Callable[[Values, Values, Any, points.Moment], bytes]


class Metric(NamedTuple):
    """One metric. kind: the field of its data; temporal: the fields behind its points."""

    head: bytes
    kind: int
    temporal: bytes
    points: list[bytes]

    def written(self, some: Sequence[bytes]) -> bytes:
        """The Metric message with these of its points."""
        opening = tag(1)
        return self.head + message(self.kind, b"".join([opening + delimited(each) for each in some]) + self.temporal)


class Request(NamedTuple):
    """An ExportMetricsServiceRequest, and how many points are in it."""

    body: bytes
    points: int


def requests(metrics: Iterable[Metric], opening: bytes, scope: bytes) -> Iterator[Request]:
    """The metrics in requests of about `REQUEST_BYTES`, each made when the one before is done with.

    opening: the fields of ResourceMetrics in front of its metrics, scope: those of ScopeMetrics.
    """
    parts: list[bytes] = []
    size = count = 0
    for metric in metrics:
        some: list[bytes] = []
        for point in metric.points:
            some.append(point)
            size += len(point)
            if size >= REQUEST_BYTES:
                parts.append(message(2, metric.written(some)))
                yield Request(_request(opening, scope, parts), count + len(some))
                parts, some, size, count = [], [], 0, 0
        if some:
            parts.append(message(2, metric.written(some)))
            size += len(metric.head)
            count += len(some)
    if parts:
        yield Request(_request(opening, scope, parts), count)


def _request(opening: bytes, scope: bytes, parts: Sequence[bytes]) -> bytes:
    return message(1, opening + message(2, scope + b"".join(parts)))


def metrics_of(family: Family, now: int, *, are_deltas: bool = False) -> Iterator[Metric]:
    """What the family comes to. now: when it was read, Unix time in nanoseconds.

    are_deltas: whether its counters and histograms are what came since they were told last.
    Raises ValueError for what OTLP cannot tell.
    """
    name, at = named(family), points.moment(now)
    if family.kind == "summary":
        yield _summary(family, name, at)
    for group in family.groups:
        if group.series and family.kind != "summary":
            yield from _of_group(family, group, name, at, _DELTA if are_deltas else _CUMULATIVE)


def _of_group(family: Family, group: Group, name: Named, now: points.Moment, temporality: bytes) -> Iterator[Metric]:
    kind = family.kind if group.suffix is None else "stray"
    first = group.series[0][1]
    if kind == "counter":
        yield _metric(family, name, _SUM, temporality + _RISING, _points(group, name, points.counter, now))
    elif kind == "histogram" and first.native is not None:
        found = _points(group, name, points.exponential, now)
        yield _metric(family, name, _EXPONENTIAL, temporality, found)
    elif kind == "histogram" and first.running:
        found = _points(group, name, points.histogram(group.bounds), now)
        yield _metric(family, name, _HISTOGRAM, temporality, found)
    elif kind in ("gauge", "unknown", "info", "stateset"):
        suffixed = name._replace(name=f"{name.name}_info") if kind == "info" else name
        is_sum = kind in ("info", "stateset") or name.kind is Kind.UPDOWNCOUNTER
        form, temporal = (_SUM, _CUMULATIVE) if is_sum else (_GAUGE, b"")
        yield _metric(family, suffixed, form, temporal, _points(group, name, points.gauge, now))
    else:
        yield from _apart(family, group, now)


def _points(group: Group, name: Named, point: Point, now: points.Moment) -> list[bytes]:
    keys = name.keys(group.labelnames)
    return [point(keys, values, reading, now) for values, reading in group.series]


def _apart(family: Family, group: Group, now: points.Moment) -> Iterator[Metric]:
    """What OTLP has no kind for: each figure as a gauge, by the name that it has at `/metrics`."""
    parts = parts_of(family.kind, group)
    found: dict[str, list[bytes]] = {}
    for values, reading in group.series:
        for suffix, value, bound, _, native in parts(reading):
            if native is None:
                le, upto = ((), ()) if bound is None else (("le",), (bound,))
                keys, all_values = (*group.labelnames, *le), (*values, *upto)
                those = found.setdefault(family.name + suffix, [])
                those.append(points.gauge(keys, all_values, GaugeReading(value), now))
    for each, those in found.items():
        yield _metric(family, Named(each, ""), _GAUGE, b"", those)


def _summary(family: Family, name: Named, now: points.Moment) -> Metric:
    """Count, sum and quantiles of each series, which stand in groups of their own."""
    whole: dict[tuple[tuple[str, str], ...], HistogramReading] = {}
    quantiles: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for group in family.groups:
        for values, reading in group.series:
            labels = dict(zip(group.labelnames, values, strict=True))
            if group.suffix == "" and "quantile" in labels:
                quantile = float(labels.pop("quantile"))
                quantiles.setdefault(tuple(labels.items()), []).append((quantile, reading.value))
            elif group.suffix is None:
                whole[tuple(labels.items())] = reading
            else:
                raise ValueError(f"{family.name}{group.suffix} is no part of a summary")
    found = []
    for pairs in {**whole, **quantiles}:
        keys, values = name.keys([label for label, _ in pairs]), tuple([value for _, value in pairs])
        reading = whole.get(pairs, HistogramReading(()))
        found.append(points.summary(keys, values, reading, quantiles.get(pairs, ()), now))
    return _metric(family, name, _SUMMARY, b"", found)


def _metric(family: Family, name: Named, kind: int, temporal: bytes, found: list[bytes]) -> Metric:
    head = text(1, name.name) + text(2, family.help) + (text(3, name.unit) if name.unit else b"")
    return Metric(head, kind, temporal, found)
