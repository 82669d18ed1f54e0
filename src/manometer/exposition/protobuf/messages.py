"""The messages that the families of our meters and those of other collectors are made of.

Field numbers are those of `io/prometheus/client/metrics.proto` in prometheus/client_model.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import accumulate
from typing import Any

from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram, Timestamp

from manometer.exposition.protobuf.fields import delimited, double, message, packed_sints, sint, tag, text, uint

__all__ = [
    "Kind",
    "event_count",
    "exemplar",
    "exponential",
    "family_message",
    "is_whole",
    "label",
    "label_name",
    "metric_name",
    "time",
]


class Kind(IntEnum):
    """A family's MetricType."""

    COUNTER = 0
    GAUGE = 1
    SUMMARY = 2
    UNTYPED = 3
    HISTOGRAM = 4


_METRIC = tag(4)
_NEGATIVE_SPAN, _POSITIVE_SPAN = tag(9), tag(12)
_spelled_once = lru_cache(8_192)  # a name is escaped letter by letter, and every scrape has the same names


def family_message(name: str, documentation: str, unit: str, kind: Kind, metrics: Iterable[bytes]) -> bytes:
    """A family behind its length. name: as escaped; metrics: a Metric message each."""
    parts = [text(1, name), text(2, documentation), uint(3, kind)]
    parts += [_METRIC + delimited(metric) for metric in metrics]
    # Prometheus before 3.9 refuses a scrape in which a unit is not the end of its family's name, as escaped.
    bare = name.removesuffix("_total") if kind is Kind.COUNTER else name
    if unit and bare.endswith("_" + unit):
        parts.append(text(5, unit))
    return delimited(b"".join(parts))


def label(name: str, value: str) -> bytes:
    """A label of a Metric or of an Exemplar."""
    return message(1, text(1, name) + text(2, value))


@_spelled_once
def metric_name(name: str, escaping: str) -> str:
    """A family's name as the scraper asked for it."""
    return _escaped(name, openmetrics.escape_metric_name, escaping)


@_spelled_once
def label_name(name: str, escaping: str) -> str:
    """A label's name as the scraper asked for it."""
    return _escaped(name, openmetrics.escape_label_name, escaping)


def _escaped(name: str, escape: Callable[[str, str], str], escaping: str) -> str:
    # prometheus-client's functions put a name of other than the classic letters in quotes, which are text's affair.
    return name if escaping == openmetrics.ALLOWUTF8 else escape(name, escaping)


def exponential(found: NativeHistogram) -> bytes:
    """The fields of a Histogram that tell how many events it has, and its exponential buckets."""
    negative: Sequence[Any] = found.neg_deltas or ()
    positive: Sequence[Any] = found.pos_deltas or ()
    # One figure in the field for fractions makes a histogram of fractions of it, to Prometheus.
    whole = is_whole(found.count_value) and is_whole(found.zero_count)
    if whole and type(sum(negative) + sum(positive)) is not int:  # which it is where all of them are, as ours are
        whole = all(float(each).is_integer() for each in (*negative, *positive))
        if whole:
            negative, positive = list(map(int, negative)), list(map(int, positive))
    # A span of nothing tells a histogram without events from a classic one.
    spans = found.pos_spans or ([BucketSpan(0, 0)] if not found.neg_spans else ())
    return b"".join(
        [
            event_count(1, 4, found.count_value, whole),
            _resolution(found.schema, found.zero_threshold),
            event_count(7, 8, found.zero_count, whole),
            *[_NEGATIVE_SPAN + _span(*span) for span in found.neg_spans or ()],
            _populations(10, 11, negative, whole),
            *[_POSITIVE_SPAN + _span(*span) for span in spans],
            _populations(13, 14, positive, whole),
            *[exemplar(16, each) for each in found.nh_exemplars or () if each.timestamp is not None],
        ]
    )


@lru_cache(1_024)  # the series of a family have few
def _resolution(schema: int, zero_threshold: float) -> bytes:
    return sint(5, schema) + double(6, zero_threshold)


@lru_cache(4_096)  # most are short, and close to the one before
def _span(offset: int, length: int) -> bytes:
    return delimited(sint(1, offset) + uint(2, length))


def _populations(deltas_field: int, counts_field: int, deltas: Sequence[Any], whole: bool) -> bytes:
    """What is in each bucket: as changes from one to the next where all are whole numbers, else as it is."""
    if whole:
        return packed_sints(deltas_field, deltas)
    return b"".join([double(counts_field, each) for each in accumulate(deltas)])


def event_count(whole_field: int, broken_field: int, value: float, whole: bool) -> bytes:
    """A number of events, which some collectors of others give in fractions. whole: into which field it goes."""
    return uint(whole_field, int(value)) if whole else double(broken_field, value)


def is_whole(value: float) -> bool:
    """Whether the number fits in a uint64."""
    return 0 <= value < 1 << 64 and float(value).is_integer()


def exemplar(field: int, found: Exemplar | None) -> bytes:
    """An exemplar, with the time at which it was seen where that is known; nothing where there is none."""
    if found is None:
        return b""
    labels = [label(name, value) for name, value in found.labels.items()]
    stamp = b"" if found.timestamp is None else time(3, found.timestamp)
    return message(field, b"".join(labels) + double(2, found.value) + stamp)


def time(field: int, stamp: float | Timestamp) -> bytes:
    """A Timestamp, of Unix time in seconds."""
    nanoseconds = stamp.sec * 10**9 + stamp.nsec if isinstance(stamp, Timestamp) else round(stamp * 1e9)
    seconds, rest = divmod(nanoseconds, 10**9)
    return message(field, uint(1, seconds) + uint(2, rest))
