"""The Metric messages of our own meters' series, written from their readings without a sample in between.

What the series of a family have in common is encoded once; a series' own part is filled in.
"""

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

from manometer.exposition.protobuf.fields import delimited, double, message, tag, text, varint
from manometer.exposition.protobuf.messages import (
    Kind,
    event_count,
    exemplar,
    exponential,
    is_whole,
    label_name,
    time,
)
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading

__all__ = ["writer"]

Write = Callable[[Sequence[str], Any], bytes]
"""Makes the Metric message of one series, from its label values and its reading."""

_LABEL, _LABEL_VALUE, _BUCKET = tag(1), tag(2), tag(3)
_BOUND_SIZE = len(double(2, 0.0))


def writer(kind: Kind, names: Sequence[str], bounds: Sequence[float], escaping: str) -> Write:
    """How the series of a family are written. bounds: those of a histogram's buckets, +Inf last."""
    figures = _histogram(bounds) if kind is Kind.HISTOGRAM else _FIGURES[kind]
    places = sorted((name, place) for place, name in enumerate(names))
    openings = [(text(1, label_name(name, escaping)) + _LABEL_VALUE, place) for name, place in places]

    def write(values: Sequence[str], reading: Any) -> bytes:
        pairs = [_LABEL + delimited(opening + delimited(values[place].encode())) for opening, place in openings]
        return b"".join(pairs) + figures(reading)

    return write


def _counter(reading: CounterReading) -> bytes:
    return message(3, double(1, reading.total) + exemplar(2, reading.exemplar) + _created(3, reading.created))


def _gauge(reading: GaugeReading) -> bytes:
    return message(2, double(1, reading.value))


_FIGURES: dict[Kind, Callable[[Any], bytes]] = {Kind.COUNTER: _counter, Kind.GAUGE: _gauge}


def _histogram(bounds: Sequence[float]) -> Callable[[HistogramReading], bytes]:
    # A place for what stands in a bucket before its bound, and the bound.
    buckets = [b"%b" + double(2, bound).replace(b"%", b"%%") for bound in bounds]
    all_buckets, all_but_last = b"".join(buckets), b"".join(buckets[:-1])

    def write(reading: HistogramReading) -> bytes:
        running: Sequence[Any] = reading.running
        _, total, created, exemplars, native = reading
        events, whole = running[-1], type(running[-1]) is int
        head = event_count(1, 4, events, whole)
        if native is not None:
            head, events, total = exponential(native), native.count_value, native.sum_value
        if whole:
            heads = [_HEADS[each] if each < _FEW else _head(each) for each in running]
        else:
            heads = [_head(each) for each in running]
        for at, seen in exemplars.items():
            heads[at] = _head(running[at], exemplar(3, seen))
        template = all_buckets
        # The last would only say the count again, but for its exemplar, and a NaN, which is in no bucket.
        if running[-1] == events and len(running) - 1 not in exemplars:
            heads.pop()
            template = all_but_last
        figures = [
            head,
            double(2, nan if total is None else total),  # a reader would take what is missing for 0
            template % tuple(heads),
            _created(15, created),
        ]
        return message(7, b"".join(figures))

    return write


def _created(field: int, created: float | None) -> bytes:
    return b"" if created is None else time(field, created)


def _head(events: float, more: bytes = b"") -> bytes:
    """A bucket up to its bound: its count and what else it has, in front of which stands its size."""
    fields = event_count(1, 4, events, is_whole(events)) + more
    return _BUCKET + varint(len(fields) + _BOUND_SIZE) + fields


_FEW = 1 << 7
_HEADS = [_head(events) for events in range(_FEW)]
