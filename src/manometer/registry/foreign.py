"""The metrics of other kits in the form in which ours travel. Timestamps are left out."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, isfinite
from typing import Any, NamedTuple

from prometheus_client import Metric
from prometheus_client.samples import Exemplar, NativeHistogram, Sample

from manometer.meters.exponential import BUCKET_LIMIT, ExponentialBuckets
from manometer.meters.family import Family, Group, Series, Values
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading, Reading

__all__ = ["Figure", "family_of", "figures"]


class Figure(NamedTuple):
    """A reading, and what its group has to say of it; see there."""

    reading: Reading
    bounds: tuple[str, ...] = ()
    native_limit: int = 0
    suffix: str | None = None


_COUNT_AND_SUM: Mapping[str, tuple[str, str]] = {
    "histogram": ("_count", "_sum"),
    "gaugehistogram": ("_gcount", "_gsum"),
    "summary": ("_count", "_sum"),
}
_BUCKETED = ("histogram", "gaugehistogram")


def family_of(metric: Metric) -> Family:
    """The family of another kit's metric.

    A sample that has no place in a reading of its family's kind is a series of its own.
    Raises ValueError for a sample of another family, and for numbers of events that are none.
    """
    groups: dict[Any, tuple[Group, list[Series]]] = {}
    for (names, values), samples in _by_series(metric).items():
        for figure in figures(metric.type, samples):
            reading, bounds, limit, suffix = figure
            key = (names, *figure[1:], len(reading.running) if isinstance(reading, HistogramReading) else 0)
            if key not in groups:
                groups[key] = Group(names, [], bounds, limit, suffix), []
            groups[key][1].append((values, reading))
    found = [group._replace(series=series) for group, series in groups.values()]
    return Family(metric.name, metric.type, metric.documentation, metric.unit, found)


Part = tuple[str, Sample]
"""A sample, and what its name adds to that of its family."""


def _by_series(metric: Metric) -> dict[tuple[Values, Values], list[Part]]:
    """The samples by their labels; the bucket's bound is none of those that tell one series from another."""
    found: dict[tuple[Values, Values], list[Part]] = {}
    bucketed = metric.type in _BUCKETED
    start = len(metric.name)
    for sample in metric.samples:
        suffix = sample.name[start:]
        # Another family's sample would stand twice in an exposition.
        if not sample.name.startswith(metric.name) or (suffix and suffix[0] != "_"):
            raise ValueError(f"{sample.name} is a sample of another family")
        names, values = tuple(sample.labels), tuple(map(str, sample.labels.values()))
        if bucketed and "le" in sample.labels:
            at = names.index("le")
            names, values = names[:at] + names[at + 1 :], values[:at] + values[at + 1 :]
        found.setdefault((names, values), []).append((suffix, sample))
    return found


def figures(kind: str, parts: Sequence[Part]) -> Iterable[Figure]:
    """What these samples of one series say: a reading of the family's kind, and what has no place in it."""
    if kind == "counter":
        return _counter(parts)
    if kind in _COUNT_AND_SUM:
        return _histogram(kind, parts)
    whole = "_info" if kind == "info" else ""
    return [
        Figure(GaugeReading(float(sample.value)), suffix=None if suffix == whole else suffix)
        for suffix, sample in parts
    ]


def _counter(parts: Sequence[Part]) -> Iterable[Figure]:
    known, strays = _known(parts, ("_total", "_created"))
    total = known.get("_total")
    if total is None:
        return map(_stray, parts)
    exemplar = None if total.exemplar is None else _bare(total.exemplar)
    return [Figure(CounterReading(float(total.value), _beginning(known), exemplar)), *map(_stray, strays)]


def _histogram(kind: str, parts: Sequence[Part]) -> Iterable[Figure]:
    count_name, sum_name = _COUNT_AND_SUM[kind]
    buckets, others = [], []
    native: NativeHistogram | None = None
    for suffix, sample in parts:
        if sample.native_histogram is not None and native is None:
            native = sample.native_histogram
        elif suffix == "_bucket" and "le" in sample.labels and kind in _BUCKETED:
            buckets.append(sample)
        else:
            others.append((suffix, sample))
    known, strays = _known(others, (count_name, sum_name, "_created"))
    bounds = tuple([str(sample.labels["le"]) for sample in buckets])
    counts = [float(sample.value) for sample in buckets]
    if count_name in known:
        count = float(known[count_name].value)
        if not counts or counts[-1] != count or float(bounds[-1]) != inf:
            counts.append(count)
    elif bounds and float(bounds[-1]) != inf:
        raise ValueError("a histogram that tells no number of all events")
    if not (counts or native is not None or known):
        return map(_stray, parts)
    exemplars = {at: _bare(sample.exemplar) for at, sample in enumerate(buckets) if sample.exemplar is not None}
    limit, found = (0, None) if native is None else _buckets(native)
    total = float(known[sum_name].value) if sum_name in known else None
    reading = HistogramReading(_whole(counts), total, _beginning(known), exemplars, found)
    return [Figure(reading, bounds, limit), *map(_stray, strays)]


def _known(parts: Sequence[Part], suffixes: Sequence[str]) -> tuple[dict[str, Sample], list[Part]]:
    """The samples of these names, and the rest."""
    known: dict[str, Sample] = {}
    strays = []
    for suffix, sample in parts:
        if suffix in suffixes and suffix not in known:
            known[suffix] = sample
        else:
            strays.append((suffix, sample))
    return known, strays


def _stray(part: Part) -> Figure:
    suffix, sample = part
    return Figure(GaugeReading(float(sample.value)), suffix=suffix)


def _beginning(known: Mapping[str, Sample]) -> float | None:
    return float(known["_created"].value) if "_created" in known else None


def _whole(counts: Sequence[float]) -> tuple[float, ...]:
    """The numbers of events as whole ones, or all as floats if one of them is none."""
    if not isfinite(sum(counts)) and not all(map(isfinite, counts)):
        raise ValueError("a count without end")
    return tuple(map(int, counts)) if all(count.is_integer() for count in counts) else tuple(counts)


def _bare(exemplar: Exemplar) -> Exemplar:
    timestamp = None if exemplar.timestamp is None else float(exemplar.timestamp)
    return Exemplar(dict(exemplar.labels), float(exemplar.value), timestamp)


def _buckets(native: NativeHistogram) -> tuple[int, NativeHistogram]:
    """Another kit's exponential buckets as ours are, of which there may be as many as there are."""
    exemplars = [_bare(exemplar) for exemplar in native.nh_exemplars or ()]
    plain = native._replace(sum_value=float(native.sum_value), nh_exemplars=exemplars)
    buckets = ExponentialBuckets.added_up([plain])
    return max(BUCKET_LIMIT, buckets.filled), buckets.histogram(plain.sum_value)
