"""Prometheus's protobuf exposition: the one format of a scrape that has room for native histograms.

Field numbers are those of `io/prometheus/client/metrics.proto` in prometheus/client_model.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from math import inf, nan
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram, Sample, Timestamp

from manometer.exposition.accept import media_ranges
from manometer.exposition.protobuf_wire import delimited, double, message, packed_sints, sint, text, uint

__all__ = ["CONTENT_TYPE", "choose_encoder", "generate"]

CONTENT_TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

_TYPE = "application/vnd.google.protobuf"
_FORM = {"proto": "io.prometheus.client.MetricFamily", "encoding": "delimited"}
_TEXTS = frozenset({"text/plain", "application/openmetrics-text", "text/*", "application/*", "*/*"})
_ESCAPINGS = frozenset({openmetrics.ALLOWUTF8, openmetrics.UNDERSCORES, openmetrics.DOTS, openmetrics.VALUES})

Labels = tuple[tuple[str, str], ...]
Key = tuple[Labels, int | None]
"""What tells one series of a family from another: its labels, and the milliseconds of its timestamp."""
Parts = dict[str, list[Sample]]
"""The samples of one series, by what their names add to the family's; a native histogram's is at _NATIVE."""
_NATIVE = "{}"


def choose_encoder(accept: str) -> tuple[Callable[[Collector], bytes], str] | None:
    """The encoder and its content type where the client likes this format best; None where text will do.

    accept: an HTTP Accept header. Its q-values decide, and among equals its order.
    """
    for each in media_ranges(accept):
        if each.type == _TYPE and _FORM.items() <= each.parameters.items():
            asked = each.parameters.get("escaping")
            escaping = asked if asked in _ESCAPINGS else openmetrics.UNDERSCORES
            return partial(generate, escaping=escaping), CONTENT_TYPE + (f"; escaping={escaping}" if asked else "")
        if each.type in _TEXTS:
            break
    return None


def generate(collector: Collector, escaping: str = openmetrics.UNDERSCORES) -> bytes:
    """The collector's families, each as a message behind its length.

    A sample that has no place in a message of its family's kind goes, untyped, into a family of its own name.
    """
    return b"".join([delimited(found) for family in collector.collect() for found in _families(family, escaping)])


def _families(family: Metric, escaping: str) -> Iterator[bytes]:
    """The family as a message, and another for each name that does not fit in; nothing where it is empty."""
    kind = _KINDS[family.type]
    series, strays = _grouped(family, kind)
    metrics = []
    for key, parts in series.items():
        figures = kind.write(parts)
        if figures is None:
            for suffix, samples in parts.items():
                strays.setdefault(family.name + suffix, []).extend(samples)
        else:
            metrics.append(_metric(key, figures, escaping))
    if metrics:
        name = _escaped(family.name + kind.suffix, openmetrics.escape_metric_name, escaping)
        # Prometheus before 3.9 refuses a scrape in which a unit is not the end of its family's name, as escaped.
        fits = family.unit and name.removesuffix(kind.suffix).endswith("_" + family.unit)
        yield _family(name, family.documentation, kind.number, metrics) + (text(5, family.unit) if fits else b"")
    for stray, samples in strays.items():
        name = _escaped(stray, openmetrics.escape_metric_name, escaping)
        metrics = [_metric(_key(sample), _untyped({"": [sample]}), escaping) for sample in samples]
        yield _family(name, family.documentation, _UNTYPED, metrics)


def _grouped(family: Metric, kind: "_Kind") -> tuple[dict[Key, Parts], dict[str, list[Sample]]]:
    """The family's samples by series, and those that are no part of one by name."""
    series: dict[Key, Parts] = {}
    strays: dict[str, list[Sample]] = {}
    start = len(family.name)
    for sample in family.samples:
        suffix = sample.name[start:] if sample.native_histogram is None else _NATIVE
        divider = kind.parts.get(suffix)
        if divider is None or not sample.name.startswith(family.name) or (divider and divider not in sample.labels):
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


def _family(name: str, documentation: str, number: int, metrics: Sequence[bytes]) -> bytes:
    head = text(1, name) + text(2, documentation) + uint(3, number)
    return head + b"".join([message(4, metric) for metric in metrics])


def _metric(key: Key, figures: bytes, escaping: str) -> bytes:
    labels, timestamp = key
    names = [_escaped(name, openmetrics.escape_label_name, escaping) for name, _ in labels]
    pairs = [_label(1, name, value) for name, (_, value) in zip(names, labels, strict=True)]
    return b"".join(pairs) + figures + (b"" if timestamp is None else uint(6, timestamp))


def _escaped(name: str, escape: Callable[[str, str], str], escaping: str) -> str:
    # prometheus-client's functions put a name of other than the classic letters in quotes, which are text's affair.
    return name if escaping == openmetrics.ALLOWUTF8 else escape(name, escaping)


def _label(field: int, name: str, value: str) -> bytes:
    return message(field, text(1, name) + text(2, value))


# --- the figures of one series, by kind


def _counter(parts: Parts) -> bytes | None:
    if "_total" not in parts:
        return None
    total = parts["_total"][0]
    return message(3, double(1, total.value) + _exemplar(2, total.exemplar) + _created(3, parts))


def _gauge(parts: Parts) -> bytes:
    ((sample, *_),) = parts.values()
    return message(2, double(1, sample.value))


def _untyped(parts: Parts) -> bytes:
    return message(5, double(1, parts[""][0].value))


def _summary(parts: Parts) -> bytes | None:
    if not {"_count", "_sum"} <= parts.keys():
        return None
    count = parts["_count"][0].value
    if not _is_whole(count):  # a summary has no field for a fraction
        return None
    figures = uint(1, int(count)) + double(2, parts["_sum"][0].value)
    quantiles = [
        message(3, double(1, float(sample.labels["quantile"])) + double(2, sample.value))
        for sample in parts.get("", ())
    ]
    return message(4, figures + b"".join(quantiles) + _created(4, parts))


def _histogram(parts: Parts) -> bytes | None:
    buckets = parts.get("_bucket", ())
    native = parts[_NATIVE][0].native_histogram if _NATIVE in parts else None
    if native is not None:
        count, total, more = native.count_value, native.sum_value, _native(native)
    elif buckets:
        # Where buckets are negative, prometheus-client leaves the sum out. There is no leaving out here,
        # and a reader would take what is missing for 0.
        count = _first(parts, ("_count", "_gcount"), buckets[-1].value)
        total, more = _first(parts, ("_sum", "_gsum"), nan), b""
    else:
        return None
    figures = [_count(1, 4, count), double(2, total)]
    for bucket in buckets:
        bound = float(bucket.labels["le"])
        if bound != inf or bucket.exemplar or bucket.value != count:  # else it would only say the count again
            figures.append(
                message(3, _count(1, 4, bucket.value) + double(2, bound) + _exemplar(3, bucket.exemplar)),
            )
    return message(7, b"".join(figures) + more + _created(15, parts))


def _native(found: NativeHistogram) -> bytes:
    negative, positive = found.neg_deltas or (), found.pos_deltas or ()
    whole = all(float(value).is_integer() for value in (found.count_value, found.zero_count, *negative, *positive))
    # A span of nothing tells a histogram without events from a classic one.
    spans = found.pos_spans or ([BucketSpan(0, 0)] if not found.neg_spans else ())
    return b"".join(
        [
            *(sint(5, found.schema), double(6, found.zero_threshold), _count(7, 8, found.zero_count)),
            *(message(9, sint(1, offset) + uint(2, length)) for offset, length in found.neg_spans or ()),
            _populations(10, 11, negative, whole),
            *(message(12, sint(1, offset) + uint(2, length)) for offset, length in spans),
            _populations(13, 14, positive, whole),
            *(_exemplar(16, exemplar) for exemplar in found.nh_exemplars or () if exemplar.timestamp is not None),
        ]
    )


def _populations(deltas_field: int, counts_field: int, deltas: Sequence[float], whole: bool) -> bytes:
    """What is in each bucket: as changes from one to the next where all are whole numbers, else as it is."""
    if whole:
        return packed_sints(deltas_field, map(int, deltas))
    return b"".join([double(counts_field, count) for count in accumulate(deltas)])


def _count(whole_field: int, broken_field: int, value: float) -> bytes:
    """A number of events, which some collectors of others give in fractions."""
    return uint(whole_field, int(value)) if _is_whole(value) else double(broken_field, value)


def _is_whole(value: float) -> bool:
    """Whether the number fits in a uint64."""
    return 0 <= value < 1 << 64 and float(value).is_integer()


def _first(parts: Parts, suffixes: Sequence[str], default: float) -> float:
    return next((parts[suffix][0].value for suffix in suffixes if suffix in parts), default)


def _created(field: int, parts: Parts) -> bytes:
    return _time(field, parts["_created"][0].value) if "_created" in parts else b""


def _exemplar(field: int, exemplar: Exemplar | None) -> bytes:
    if exemplar is None:
        return b""
    labels = b"".join([_label(1, name, value) for name, value in exemplar.labels.items()])
    stamp = b"" if exemplar.timestamp is None else _time(3, exemplar.timestamp)
    return message(field, labels + double(2, exemplar.value) + stamp)


def _time(field: int, stamp: float | Timestamp) -> bytes:
    nanoseconds = stamp.sec * 10**9 + stamp.nsec if isinstance(stamp, Timestamp) else round(stamp * 1e9)
    seconds, rest = divmod(nanoseconds, 10**9)
    return message(field, uint(1, seconds) + uint(2, rest))


class _Kind(NamedTuple):
    """How a family's samples become a message.

    number: its MetricType; suffix: what is added to the family's name.
    parts: what the names of a series' samples may add to it, with the label that tells several such samples apart.
    write: the figures of a series as a field of its Metric, or None where the part that matters is missing.
    """

    number: int
    suffix: str
    parts: Mapping[str, str]
    write: Callable[[Parts], bytes | None]


_COUNTER, _GAUGE, _SUMMARY, _UNTYPED, _HISTOGRAM = range(5)
_KINDS = {
    "counter": _Kind(_COUNTER, "_total", {"_total": "", "_created": ""}, _counter),
    "gauge": _Kind(_GAUGE, "", {"": ""}, _gauge),
    "info": _Kind(_GAUGE, "_info", {"_info": ""}, _gauge),
    "stateset": _Kind(_GAUGE, "", {"": ""}, _gauge),
    "unknown": _Kind(_UNTYPED, "", {"": ""}, _untyped),
    "summary": _Kind(_SUMMARY, "", {"": "quantile", "_count": "", "_sum": "", "_created": ""}, _summary),
    "histogram": _Kind(
        _HISTOGRAM, "", {"_bucket": "le", "_count": "", "_sum": "", "_created": "", _NATIVE: ""}, _histogram
    ),
    # There is a type of its own for these, but Prometheus 2.42 forgets the suffixes of its series.
    "gaugehistogram": _Kind(
        _HISTOGRAM, "", {"_bucket": "le", "_gcount": "", "_gsum": "", "_created": "", _NATIVE: ""}, _histogram
    ),
}
