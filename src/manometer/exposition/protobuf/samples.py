"""The Metric messages of samples: what collectors of others tell, in prometheus-client's data model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf, nan
from typing import NamedTuple

from prometheus_client.samples import Sample

from manometer.exposition.protobuf.fields import double, message, uint
from manometer.exposition.protobuf.messages import (
    Kind,
    event_count,
    exemplar,
    exponential,
    is_whole,
    label,
    label_name,
    time,
)

__all__ = ["Told", "kind_and_suffix", "metrics"]

Labels = tuple[tuple[str, str], ...]
Key = tuple[Labels, int | None]
"""What tells one series of a family from another: its labels, and the milliseconds of its timestamp."""
Parts = dict[str, list[Sample]]
"""The samples of one series, by what their names add to the family's; a native histogram's is at _NATIVE."""
_NATIVE = "{}"


class Told(NamedTuple):
    """A family's samples as messages.

    metrics: a Metric message for each series.
    strays: those of samples that have no place in such a message, by their names, untyped.
    """

    metrics: list[bytes]
    strays: dict[str, list[bytes]]


def kind_and_suffix(type_name: str) -> tuple[Kind, str]:
    """What a family of this type is, as prometheus-client calls the type, and what is added to its name."""
    layout = _LAYOUTS[type_name]
    return layout.kind, layout.suffix


def metrics(name: str, type_name: str, samples: Iterable[Sample], escaping: str) -> Told:
    """The messages of the samples of a family with this name and type."""
    layout = _LAYOUTS[type_name]
    series, strays = _grouped(name, layout, samples)
    found = []
    for key, parts in series.items():
        figures = layout.write(parts)
        if figures is None:
            for suffix, those in parts.items():
                strays.setdefault(name + suffix, []).extend(those)
        else:
            found.append(_metric(key, figures, escaping))
    untyped = {
        stray: [_metric(_key(sample), _untyped({"": [sample]}), escaping) for sample in those]
        for stray, those in strays.items()
    }
    return Told(found, untyped)


def _grouped(
    name: str, layout: "_Layout", samples: Iterable[Sample]
) -> tuple[dict[Key, Parts], dict[str, list[Sample]]]:
    """The family's samples by series, and those that are no part of one by name."""
    series: dict[Key, Parts] = {}
    strays: dict[str, list[Sample]] = {}
    start = len(name)
    for sample in samples:
        suffix = sample.name[start:] if sample.native_histogram is None else _NATIVE
        divider = layout.parts.get(suffix)
        if divider is None or not sample.name.startswith(name) or (divider and divider not in sample.labels):
            strays.setdefault(sample.name, []).append(sample)
            continue
        parts = series.setdefault(_key(sample, divider), {})
        if suffix in parts and not divider:  # told twice: the scraper shall see it, and complain
            strays.setdefault(sample.name, []).append(sample)
        else:
            parts.setdefault(suffix, []).append(sample)
    return series, strays


def _key(sample: Sample, divider: str = "") -> Key:
    labels = tuple(sorted([item for item in sample.labels.items() if item[0] != divider]))
    return labels, None if sample.timestamp is None else int(float(sample.timestamp) * 1000)


def _metric(key: Key, figures: bytes, escaping: str) -> bytes:
    labels, timestamp = key
    pairs = [label(label_name(name, escaping), value) for name, value in labels]
    return b"".join(pairs) + figures + (b"" if timestamp is None else uint(6, timestamp))


# --- the figures of one series, by kind


def _counter(parts: Parts) -> bytes | None:
    if "_total" not in parts:
        return None
    total = parts["_total"][0]
    return message(3, double(1, total.value) + exemplar(2, total.exemplar) + _created(3, parts))


def _gauge(parts: Parts) -> bytes:
    ((sample, *_),) = parts.values()
    return message(2, double(1, sample.value))


def _untyped(parts: Parts) -> bytes:
    return message(5, double(1, parts[""][0].value))


def _summary(parts: Parts) -> bytes | None:
    if not {"_count", "_sum"} <= parts.keys():
        return None
    count = parts["_count"][0].value
    if not is_whole(count):  # a summary has no field for a fraction
        return None
    figures = uint(1, int(count)) + double(2, parts["_sum"][0].value)
    quantiles = [
        message(3, double(1, float(sample.labels["quantile"])) + double(2, sample.value))
        for sample in parts.get("", ())
    ]
    return message(4, figures + b"".join(quantiles) + _created(4, parts))


def _histogram(parts: Parts) -> bytes | None:
    buckets = parts.get("_bucket", ())
    found = parts[_NATIVE][0].native_histogram if _NATIVE in parts else None
    if found is not None:
        events, total, figures = found.count_value, found.sum_value, [exponential(found)]
    elif buckets:
        # Where buckets are negative, prometheus-client leaves the sum out. There is no leaving out here,
        # and a reader would take what is missing for 0.
        events = _first(parts, ("_count", "_gcount"), buckets[-1].value)
        total, figures = _first(parts, ("_sum", "_gsum"), nan), [event_count(1, 4, events, is_whole(events))]
    else:
        return None
    figures.append(double(2, total))
    for bucket in buckets:
        bound = float(bucket.labels["le"])
        if bound != inf or bucket.exemplar or bucket.value != events:  # else it would only say the count again
            reached = event_count(1, 4, bucket.value, is_whole(bucket.value))
            figures.append(message(3, reached + double(2, bound) + exemplar(3, bucket.exemplar)))
    return message(7, b"".join(figures) + _created(15, parts))


def _first(parts: Parts, suffixes: Sequence[str], default: float) -> float:
    return next((parts[suffix][0].value for suffix in suffixes if suffix in parts), default)


def _created(field: int, parts: Parts) -> bytes:
    return time(field, parts["_created"][0].value) if "_created" in parts else b""


class _Layout(NamedTuple):
    """How a family's samples become messages.

    kind: its type; suffix: what is added to the family's name.
    parts: what the names of a series' samples may add to it, with the label that tells several such samples apart.
    write: the figures of a series as a field of its Metric, or None where the part that matters is missing.
    """

    kind: Kind
    suffix: str
    parts: Mapping[str, str]
    write: Callable[[Parts], bytes | None]


_LAYOUTS = {
    "counter": _Layout(Kind.COUNTER, "_total", {"_total": "", "_created": ""}, _counter),
    "gauge": _Layout(Kind.GAUGE, "", {"": ""}, _gauge),
    "info": _Layout(Kind.GAUGE, "_info", {"_info": ""}, _gauge),
    "stateset": _Layout(Kind.GAUGE, "", {"": ""}, _gauge),
    "unknown": _Layout(Kind.UNTYPED, "", {"": ""}, _untyped),
    "summary": _Layout(Kind.SUMMARY, "", {"": "quantile", "_count": "", "_sum": "", "_created": ""}, _summary),
    "histogram": _Layout(
        Kind.HISTOGRAM, "", {"_bucket": "le", "_count": "", "_sum": "", "_created": "", _NATIVE: ""}, _histogram
    ),
    # There is a type of its own for these, but Prometheus 2.42 forgets the suffixes of its series.
    "gaugehistogram": _Layout(
        Kind.HISTOGRAM, "", {"_bucket": "le", "_gcount": "", "_gsum": "", "_created": "", _NATIVE: ""}, _histogram
    ),
}
