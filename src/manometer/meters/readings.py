"""What a series says at one moment: a counter, a gauge's value or a histogram. Readings of one class add up."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from math import fsum, isfinite
from types import MappingProxyType
from typing import NamedTuple

from prometheus_client.samples import Exemplar, NativeHistogram

from manometer.meters.exponential import ExponentialBuckets, seen

__all__ = ["NO_EXEMPLARS", "CounterReading", "GaugeReading", "HistogramReading", "Reading"]

NO_EXEMPLARS: Mapping[int, Exemplar] = MappingProxyType({})


class CounterReading(NamedTuple):
    """A counter.

    created: Unix time in seconds, None where it is not to be shown; before: what it came to before its last reset.
    """

    total: float
    created: float | None = None
    exemplar: Exemplar | None = None
    before: "CounterReading | None" = None

    @property
    def events(self) -> float:
        """What never falls, while the series goes on."""
        return self.total

    @property
    def whole(self) -> "CounterReading":
        """The reading as if there had been no reset."""
        if self.before is None:
            return self
        return CounterReading.added_up((self.before, self._replace(before=None)))

    @property
    def negative(self) -> "CounterReading":
        """What takes this off where the two add up."""
        return CounterReading(-self.total)

    @classmethod
    def added_up(cls, readings: Sequence["CounterReading"], _native_limit: int | None = None) -> "CounterReading":
        """One reading with the events of all. The total is rounded once: what grows in one never lets it fall."""
        parts = [reading.whole for reading in readings]
        return cls(
            _sum([part.total for part in parts]),
            _earliest(part.created for part in parts),
            max((part.exemplar for part in parts if part.exemplar is not None), key=seen, default=None),
        )

    @classmethod
    def exact(cls, readings: Sequence["CounterReading"], _native_limit: int) -> list["CounterReading"]:
        """As few readings as add up to the very same: the sum, and what rounding took off it."""
        whole = cls.added_up(readings)
        return [whole, *map(cls, _remainders([reading.total for reading in readings]))]


class GaugeReading(NamedTuple):
    """A gauge, or a value of a kind of metric that is not ours.

    set_at: Unix time in seconds at which the program last set the value, 0 where it never did or where that is not
    kept; None where an object or a function told the value.
    """

    value: float
    set_at: float | None = None

    @property
    def created(self) -> float | None:
        """A value has no beginning."""
        return None

    @property
    def events(self) -> float:
        """The value itself."""
        return self.value

    @property
    def negative(self) -> "GaugeReading":
        """What takes this off where the two add up."""
        return GaugeReading(-self.value)

    @classmethod
    def added_up(cls, readings: Sequence["GaugeReading"], _native_limit: int | None = None) -> "GaugeReading":
        """One reading of the sum of all values."""
        return cls(_sum([reading.value for reading in readings]), readings[0].set_at)

    @classmethod
    def exact(cls, readings: Sequence["GaugeReading"], _native_limit: int) -> list["GaugeReading"]:
        """As few readings as add up to the very same: the sum, and what rounding took off it."""
        whole = cls.added_up(readings)
        return [whole, *[cls(part, whole.set_at) for part in _remainders([each.value for each in readings])]]


class HistogramReading(NamedTuple):
    """A histogram; a summary is one without buckets.

    running: events in each bucket and those below it, and behind them all events where the last bucket does not hold
    all; whole numbers, or floats if one of them is none. Empty where only `native`, or the sum, is known.
    total: the sum of all amounts, None where it is not to be shown; created: Unix time in seconds, likewise;
    exemplars: by the bucket's place; native: the same events in exponential buckets, where they were asked for.
    """

    running: Sequence[float]
    total: float | None = None
    created: float | None = None
    exemplars: Mapping[int, Exemplar] = NO_EXEMPLARS
    native: NativeHistogram | None = None

    @property
    def events(self) -> float:
        """What never falls, while the series goes on."""
        if self.native is not None:
            return self.native.count_value
        return self.running[-1] if self.running else self.total or 0.0

    @property
    def negative(self) -> "HistogramReading":
        """What takes this off where the two add up."""
        return HistogramReading(
            tuple([-count for count in self.running]),
            None if self.total is None else -self.total,
            native=None if self.native is None else _negative(self.native),
        )

    @classmethod
    def added_up(cls, readings: Sequence["HistogramReading"], native_limit: int | None = None) -> "HistogramReading":
        """One reading with the events of all, whose buckets must be the same.

        native_limit: how many exponential buckets may be filled; None for as many as there are.
        """
        runnings = [reading.running for reading in readings]
        running = tuple(map(sum, zip(*runnings, strict=True)))
        if running and type(running[-1]) is float:
            running = tuple(map(_sum, zip(*runnings, strict=True)))
        totals = [reading.total for reading in readings if reading.total is not None]
        natives = [reading.native for reading in readings if reading.native is not None]
        exemplars = NO_EXEMPLARS
        for reading in readings:
            if reading.exemplars:
                exemplars = _latest(exemplars, reading.exemplars)
        return cls(
            running,
            _sum(totals) if totals else None,
            _earliest([reading.created for reading in readings]),
            exemplars,
            _native(natives, native_limit) if natives else None,
        )

    @classmethod
    def exact(cls, readings: Sequence["HistogramReading"], native_limit: int) -> list["HistogramReading"]:
        """As few readings as add up to the very same: the sum, and what rounding took off it."""
        whole, found = cls.added_up(readings, native_limit), []
        columns = zip(*[reading.running for reading in readings], strict=True)
        counts = [_remainders(column) if float in map(type, column) else [] for column in columns]
        totals = _remainders([reading.total for reading in readings if reading.total is not None])
        natives = _remainders([reading.native.sum_value for reading in readings if reading.native is not None])
        for total, native, *running in zip_longest(totals, natives, *counts, fillvalue=0.0):
            rest = None if whole.native is None else _nothing(whole.native)._replace(sum_value=native)
            found.append(cls(tuple(running), None if whole.total is None else total, native=rest))
        return [whole, *found]


Reading = CounterReading | GaugeReading | HistogramReading


def _sum(column: Sequence[float]) -> float:
    """The sum, rounded once."""
    try:
        return fsum(column)
    except (OverflowError, ValueError):  # too large for a float on the way, or infinities of both signs
        return float(sum(column))


def _remainders(column: Sequence[float]) -> list[float]:
    """What rounding took off the sum, as few floats as hold it."""
    found: list[float] = []
    rest, part = [*column], _sum(column)
    while len(column) > 1 and isfinite(part):
        rest.append(-part)
        part = _sum(rest)
        if not part:
            return found
        found.append(part)
    return [part for part in found if isfinite(part)]


def _earliest(created: Iterable[float | None]) -> float | None:
    return min([each for each in created if each is not None], default=None)


def _latest(kept: Mapping[int, Exemplar], others: Mapping[int, Exemplar]) -> Mapping[int, Exemplar]:
    """The exemplars of both, of the same place the later one."""
    found = dict(kept)
    for at, exemplar in others.items():
        if at not in found or seen(exemplar) > seen(found[at]):
            found[at] = exemplar
    return found


def _native(natives: Sequence[NativeHistogram], limit: int | None) -> NativeHistogram:
    if len(natives) == 1:
        return natives[0]
    total = _sum([native.sum_value for native in natives])
    return ExponentialBuckets.added_up(natives, limit).histogram(total)


def _negative(native: NativeHistogram) -> NativeHistogram:
    return native._replace(
        count_value=-native.count_value,
        sum_value=-native.sum_value,
        zero_count=-native.zero_count,
        pos_deltas=[-delta for delta in native.pos_deltas or ()],
        neg_deltas=[-delta for delta in native.neg_deltas or ()],
        nh_exemplars=[],
    )


def _nothing(native: NativeHistogram) -> NativeHistogram:
    """No events, in buckets of the same width."""
    return NativeHistogram(0, 0.0, native.schema, native.zero_threshold, 0, [], [], [], [], [])
