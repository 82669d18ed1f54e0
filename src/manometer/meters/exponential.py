"""Exponential buckets of one series, as Prometheus's native histograms and OpenTelemetry's have them."""

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate, chain
from math import frexp, inf, isnan, isqrt, ldexp
from typing import Any

from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

from manometer.errors import MetricError

__all__ = ["BUCKET_LIMIT", "FINEST_SCHEMA", "ExponentialBuckets", "seen"]

BUCKET_LIMIT = 160
"""Buckets that a series may fill before neighbours are merged: OpenTelemetry's default, and a common one in Go."""

FINEST_SCHEMA = 8
_SCHEMAS = range(-4, FINEST_SCHEMA + 1)  # what Prometheus takes
_ZERO_THRESHOLD = 2.0**-128  # client_golang's: a bound of every schema, and far below any duration or size
_GAP = 2  # empty buckets in a row that are cheaper to write out than to skip by a new span
_EXEMPLARS = 10  # client_golang's number


class ExponentialBuckets:
    """Counts by bucket: number i holds what is over base**(i-1) and at most base**i, where base = 2**2**-schema.

    The bounds are exact: a value is in the bucket that rational arithmetic puts it in. `negative`
    holds magnitudes. What lies within `zero_threshold` of zero is in `zero_count`; an infinity is in the
    bucket after that of the largest float; NaN is in `count` alone. OpenTelemetry's index is i - 1.

    limit: when more buckets than this are filled, neighbours merge pairwise and `schema` falls by one,
    down to -4, where a few dozen buckets hold all there is. It does not rise again.
    Not thread-safe but for `keep`: whoever folds holds the series' lock.
    """

    __slots__ = ("_exemplars", "_limit", "count", "negative", "positive", "schema", "zero_count", "zero_threshold")

    def __init__(self, schema: int, limit: int = BUCKET_LIMIT) -> None:
        if schema not in _SCHEMAS:
            raise MetricError(f"native_schema is {schema!r}; it takes a whole number from -4 (coarse) to 8 (fine)")
        if limit < 1:
            raise MetricError(f"max_native_buckets is {limit!r}; it takes a number over 0")
        self.schema = schema
        self.count: float = 0
        self.zero_count: float = 0
        self.zero_threshold = _ZERO_THRESHOLD
        self.positive: dict[int, float] = {}
        self.negative: dict[int, float] = {}
        self._limit = limit
        self._exemplars: dict[int, Exemplar] = {}
        _mantissas(schema)  # made now rather than within a fold

    @classmethod
    def added_up(cls, parts: Sequence[NativeHistogram], limit: int | None = None) -> "ExponentialBuckets":
        """What several come to: as if one of that limit had counted the events of all; None for no limit.

        The coarsest schema and the widest zero bucket are everyone's. Raises ValueError where one makes no sense.
        """
        whole = cls(min(part.schema for part in parts), sys.maxsize if limit is None else limit)
        whole.zero_threshold = max(part.zero_threshold for part in parts)
        for part in parts:
            whole.count += part.count_value
            whole.zero_count += part.zero_count
            steps = part.schema - whole.schema
            _add(whole.positive, _halved(_counts(part.pos_spans, part.pos_deltas), steps))
            _add(whole.negative, _halved(_counts(part.neg_spans, part.neg_deltas), steps))
        for counts in (whole.positive, whole.negative):
            for index in [index for index, count in counts.items() if not count]:  # one part took off what others had
                del counts[index]
        for exemplar in sorted(chain(*(part.nh_exemplars or () for part in parts)), key=seen):
            whole.keep(exemplar)
        whole._widen()
        whole._fit()
        return whole

    @property
    def filled(self) -> int:
        """How many buckets there is anything in."""
        return len(self.positive) + len(self.negative)

    def copy(self) -> "ExponentialBuckets":
        """The same counts, to go on from apart; the exemplars are shared."""
        twin = object.__new__(ExponentialBuckets)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.positive, twin.negative = self.positive.copy(), self.negative.copy()
        return twin

    def fold(self, amounts: list[float]) -> None:
        """Count a batch. A bucket is looked up once however many values of the batch it gets."""
        self.count += len(amounts)
        if isnan(sum(amounts)):
            amounts = [amount for amount in amounts if amount == amount]
        ordered = sorted(amounts)
        below, above = bisect_left(ordered, -self.zero_threshold), bisect_right(ordered, self.zero_threshold)
        self.zero_count += above - below
        self._count(ordered[above:], self.positive)
        if below:
            self._count([-amount for amount in reversed(ordered[:below])], self.negative)
        self._fit()

    def keep(self, exemplar: Exemplar) -> None:
        """Remember an exemplar: the last one of each power of two, and of those the ten that came last."""
        octave = frexp(exemplar.value)[1]
        self._exemplars.pop(octave, None)
        self._exemplars[octave] = exemplar
        for oldest in list(self._exemplars)[:-_EXEMPLARS]:
            self._exemplars.pop(oldest, None)

    def histogram(self, total: float) -> NativeHistogram:
        """The figures in prometheus-client's data model. total: the sum of all that was folded."""
        positive_spans, positive_deltas = _spans(self.positive)
        negative_spans, negative_deltas = _spans(self.negative)
        return NativeHistogram(
            count_value=self.count,
            sum_value=total,
            schema=self.schema,
            zero_threshold=self.zero_threshold,
            zero_count=self.zero_count,
            pos_spans=positive_spans,
            neg_spans=negative_spans,
            pos_deltas=positive_deltas,
            neg_deltas=negative_deltas,
            nh_exemplars=list(self._exemplars.values()),
        )

    def _fit(self) -> None:
        """Merge neighbours until no more buckets are filled than may be."""
        while self.filled > self._limit and self.schema > _SCHEMAS[0]:
            self.positive, self.negative = _halved(self.positive), _halved(self.negative)
            self.schema -= 1
            self._widen()

    def _widen(self) -> None:
        """Have no bucket that is filled reach into the zero bucket: it takes such in, up to the end of the last."""
        if self.zero_threshold <= 0:
            return
        last, upper = _bucket(self.zero_threshold, self.schema)
        if last in self.positive or last in self.negative:
            self.zero_threshold = upper
        for counts in (self.positive, self.negative):
            for index in [index for index in counts if index <= last]:
                self.zero_count += counts.pop(index)

    def _count(self, ordered: list[float], counts: dict[int, float]) -> None:
        """Count positive values, which are in ascending order."""
        at, end = 0, len(ordered)
        while at < end:
            index, upper = _bucket(ordered[at], self.schema)
            after = bisect_right(ordered, upper, at)
            counts[index] = counts.get(index, 0) + after - at
            at = after


def _bucket(amount: float, schema: int) -> tuple[int, float]:
    """The number and the largest float of the bucket that a positive value is in."""
    if amount == inf:
        return _bucket(sys.float_info.max, schema)[0] + 1, inf
    mantissa, exponent = frexp(amount)  # amount = mantissa * 2**exponent, and mantissa is in [0.5, 1)
    if schema < 0:
        index = -(-(exponent - (mantissa == 0.5)) >> -schema)
        power = index << -schema
        return index, ldexp(1.0, power) if power < sys.float_info.max_exp else sys.float_info.max
    mantissas = _mantissas(schema)
    at = bisect_left(mantissas, mantissa)
    index = at + ((exponent - 1) << schema)
    if at < len(mantissas):
        return index, ldexp(mantissas[at], exponent)
    return index, ldexp(1.0, exponent) if exponent < sys.float_info.max_exp else sys.float_info.max


@cache
def _mantissas(schema: int) -> tuple[float, ...]:
    """The bounds in [0.5, 1), each as the largest float that is not over it.

    A bound is 2**(step / 2**schema - 1). Its 53 bits are the integer part of 2**(52 + step / 2**schema):
    the square root, `schema` times over, of a power of two; rounding down between changes nothing.
    """
    if schema <= 0:
        return (0.5,)
    found = []
    for step in range(1 << schema):
        bits = 1 << ((52 << schema) + step)
        for _ in range(schema):
            bits = isqrt(bits)
        found.append(ldexp(bits, -53))
    return tuple(found)


def _halved(counts: Mapping[int, float], times: int = 1) -> dict[int, float]:
    """The counts with each bucket of an odd number merged into the next, so many times over."""
    merged: dict[int, float] = {}
    for index, count in counts.items():
        half = -(-index >> times)
        merged[half] = merged.get(half, 0) + count
    return merged


def _add(counts: dict[int, float], others: Mapping[int, float]) -> None:
    for index, count in others.items():
        counts[index] = counts.get(index, 0) + count


def seen(exemplar: Exemplar) -> float:
    """When it was, as far as it says."""
    return float(exemplar.timestamp or 0)


def _spans(counts: Mapping[int, float]) -> tuple[list[BucketSpan], list[Any]]:
    """Runs of buckets, each by its distance from the one before, and the change from bucket to bucket."""
    runs: list[tuple[int, int]] = []  # where each starts and ends
    for index in sorted(counts):
        if runs and index - runs[-1][1] <= _GAP:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    spans, before = [], 0
    for start, end in runs:
        spans.append(BucketSpan(start - before, end - start))
        before = end
    return spans, _deltas(counts.get(index, 0) for start, end in runs for index in range(start, end))


def _counts(spans: Iterable[BucketSpan] | None, deltas: Iterable[float] | None) -> dict[int, float]:
    """What spans and deltas tell, less the buckets that are empty."""
    indexes: list[int] = []
    end = 0
    for offset, length in spans or ():
        start, end = end + offset, end + offset + length
        indexes += range(start, end)
    found = zip(indexes, accumulate(deltas or ()), strict=True)
    return {index: count for index, count in found if count}


def _deltas(counts: Iterable[float]) -> list[float]:
    deltas: list[float] = []
    before: float = 0
    for count in counts:
        deltas.append(count - before)
        before = count
    return deltas
