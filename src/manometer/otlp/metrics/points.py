"""The data points of a metric, written from the readings of its series without an object in between.

Field numbers are those of `opentelemetry/proto/metrics/v1/metrics.proto`. What the series of a group have in common
is encoded once.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from math import inf
from operator import sub
from struct import Struct
from typing import Any

from prometheus_client.samples import BucketSpan, Exemplar

from manometer.exposition.protobuf.fields import delimited, double, fixed, message, packed_uints, sint, tag, text
from manometer.meters.family import Values
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading

__all__ = ["Moment", "attributes", "counter", "exponential", "gauge", "histogram", "moment", "summary"]

Moment = bytes
"""When the figures were read, as the field that each kind of point has of it."""

_NUMBER, _HISTOGRAM, _EXPONENTIAL = 7, 9, 1  # the field of the attributes in each kind of point; of a summary, too
_START, _TIME = tag(2, 1), tag(3, 1)  # when the series began and when it was read: the same in each
_VALUE = tag(4, 1)
_IDS = {"trace_id": (5, 16), "span_id": (4, 8)}
"""The labels of an exemplar that have fields of their own, and how many bytes there are in them."""
_SERIES = 16_384
"""Of so many series the attributes are kept as they are written, since every push has the same ones."""

_double = Struct("<d").pack
_fixed = Struct("<Q").pack


def moment(nanoseconds: int) -> Moment:
    """That Unix time."""
    return _TIME + _fixed(nanoseconds)


@lru_cache(_SERIES)
def attributes(field: int, keys: Values, values: Values) -> bytes:
    """The attributes of a series in that field. keys: what its labels are called; values: of the labels."""
    return b"".join([message(field, _key_value(key, value)) for key, value in zip(keys, values, strict=True)])


def gauge(keys: Values, values: Values, reading: GaugeReading, now: Moment) -> bytes:
    """A NumberDataPoint of a value."""
    return b"".join([attributes(_NUMBER, keys, values), now, _VALUE, _double(reading.value)])


def counter(keys: Values, values: Values, reading: CounterReading, now: Moment) -> bytes:
    """A NumberDataPoint of a total."""
    total, created, seen, _ = reading
    exemplar = b"" if seen is None else _exemplar(5, seen, now)
    return b"".join(
        [attributes(_NUMBER, keys, values), _since(created), now, _VALUE, _double(total), exemplar],
    )


def histogram(bounds: Sequence[str]) -> Callable[[Values, Values, HistogramReading, Moment], bytes]:
    """What writes a HistogramDataPoint. bounds: the `le` of each bucket."""
    finite = [bound for bound in map(float, bounds) if bound != inf]
    size = len(finite)
    counts = Struct(f"<{size + 1}Q")
    head = message(7, Struct(f"<{size}d").pack(*finite)) + tag(6) + delimited(bytes(counts.size))[: -counts.size]

    def point(keys: Values, values: Values, reading: HistogramReading, now: Moment) -> bytes:
        running, total, created, exemplars, _ = reading
        upto = (*running[:size], running[-1])
        return b"".join(
            [
                attributes(_HISTOGRAM, keys, values),
                _since(created),
                now,
                _events(4, running[-1]),
                b"" if total is None else double(5, total),
                head,
                counts.pack(*map(_whole, map(sub, upto, (0, *upto)))),
                *[_exemplar(8, each, now) for each in exemplars.values()],
            ]
        )

    return point


def exponential(keys: Values, values: Values, reading: HistogramReading, now: Moment) -> bytes:
    """An ExponentialHistogramDataPoint of the exponential buckets that a reading has."""
    native = reading.native
    if native is None:
        raise ValueError("a series without exponential buckets, in a group that has them")
    return b"".join(
        [
            attributes(_EXPONENTIAL, keys, values),
            _since(reading.created),
            now,
            _events(4, native.count_value),
            double(5, native.sum_value),
            sint(6, native.schema),
            _events(7, native.zero_count),
            _buckets(8, native.pos_spans, native.pos_deltas),
            _buckets(9, native.neg_spans, native.neg_deltas),
            *[_exemplar(11, each, now) for each in native.nh_exemplars or reading.exemplars.values()],
            double(14, native.zero_threshold),
        ]
    )


def summary(
    keys: Values, values: Values, reading: HistogramReading, quantiles: Iterable[tuple[float, float]], now: Moment
) -> bytes:
    """A SummaryDataPoint. quantiles: each with its value."""
    return b"".join(
        [
            attributes(_NUMBER, keys, values),
            _since(reading.created),
            now,
            _events(4, reading.events),
            double(5, reading.total or 0.0),
            *[message(6, double(1, quantile) + double(2, value)) for quantile, value in quantiles],
        ]
    )


def _key_value(key: str, value: str) -> bytes:
    """A KeyValue whose value is a text."""
    return text(1, key) + message(2, text(1, value))


def _since(created: float | None) -> bytes:
    return b"" if created is None else _START + _fixed(round(created * 1e9))


def _events(field: int, number: float) -> bytes:
    return fixed(field, _whole(number))


def _whole(number: float) -> int:
    """OTLP has whole numbers of events alone."""
    whole = int(number)
    if whole != number:
        raise ValueError(f"{number} events, and OTLP has whole numbers of them alone")
    return whole


def _buckets(field: int, spans: Sequence[BucketSpan] | None, deltas: Sequence[Any] | None) -> bytes:
    """Every bucket from the first filled one to the last, which OpenTelemetry numbers from one less on."""
    if not spans or not deltas:
        return b""
    counts = accumulate(deltas)
    row: list[int] = []
    for offset, length in spans:
        row += repeat(0, offset if row else 0)
        row += [_whole(next(counts)) for _ in range(length)]
    return message(field, sint(1, spans[0].offset - 1) + packed_uints(2, row))


def _exemplar(field: int, seen: Exemplar, now: Moment) -> bytes:
    """An Exemplar. Where it does not say when it was, it is told as of now, as Prometheus has it of a scrape."""
    at = now[len(_TIME) :] if seen.timestamp is None else _fixed(round(float(seen.timestamp) * 1e9))
    parts = [tag(2, 1), at, double(3, float(seen.value))]
    for name, value in seen.labels.items():
        place, size = _IDS.get(name, (0, 0))
        number = _bytes(value)
        if number is not None and len(number) == size:
            parts.append(message(place, number))
        else:
            parts.append(message(7, _key_value(name, value)))
    return message(field, b"".join(parts))


def _bytes(hexadecimal: str) -> bytes | None:
    """The bytes that the digits stand for; None where a receiver would not write the very same digits."""
    try:
        found = bytes.fromhex(hexadecimal)
    except ValueError:
        return None
    return found if found.hex() == hexadecimal else None
