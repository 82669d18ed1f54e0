"""What came since the receiver took a figure last, for receivers that add up what they get."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from manometer.meters.family import Family, Group, Series, Values
from manometer.meters.readings import CounterReading, HistogramReading
from manometer.otlp.metrics.encoding import Metric, metrics_of

__all__ = ["Deltas"]

_KINDS = ("counter", "histogram")


class _Key(NamedTuple):
    """What tells a series from all others. bounds, native: its buckets, as counts of others do not compare."""

    name: str
    labelnames: Values
    values: Values
    bounds: Values
    native: bool


class _Taken(NamedTuple):
    """What the receiver has of a series, and since when. at: Unix time in seconds."""

    reading: Any
    at: float


_Point = tuple[_Key, _Taken] | None
"""What the receiver has by a point, once it has taken that; None where the point tells all there was."""


class Deltas:
    """Remembers what the receiver has taken of each series. What it did not take is in the next push.

    are_totals: whether a family is told as all there was in spite of this.
    A series whose push failed only on the way back, when the receiver had it already, counts twice there: OTLP has
    no means against that.
    """

    def __init__(self, are_totals: Callable[[Family], bool] = lambda _: False) -> None:
        self.are_totals = are_totals
        self.taken: dict[str, dict[_Key, _Taken]] = {}  # by family

    def begin(self) -> "_Round":
        """What one push has to tell."""
        return _Round(self)

    def renew(self, brought_along: Callable[[], Iterable[Family]]) -> None:
        """In a forked child: what its parent has counted is for the parent to tell."""
        self.taken = {
            family.name: {
                _key(family.name, group, series): _Taken(series[1], series[1].created or 0.0)
                for group in family.groups
                for series in group.series
            }
            for family in brought_along()
        }


class _Round:
    """One push."""

    def __init__(self, deltas: Deltas) -> None:
        self._deltas = deltas
        self._under_way: deque[_Point] = deque()  # each point that was encoded, in their order

    def encoded(self, family: Family, now: int) -> list[Metric]:
        """The family with what is new of it. Series that have nothing new are left out."""
        made, points = list[Metric](), list[_Point]()
        for group in family.groups:
            is_new = self._is_told_as_new(family, group)
            new, under_way = self._new(family.name, group, now / 1e9) if is_new else (group, [])
            found = [*metrics_of(family._replace(groups=[new]), now, are_deltas=is_new)]
            made += found
            points += under_way if is_new else [None] * sum(len(metric.points) for metric in found)
        self._under_way.extend(points)
        self._forget_removed(family)
        return made

    def settled(self, points: int, *, arrived: bool) -> None:
        """So many of the points, the earliest ones, got to the receiver, or will not."""
        for _ in range(points):
            point = self._under_way.popleft()
            if arrived and point is not None:
                key, taken = point
                self._deltas.taken.setdefault(key.name, {})[key] = taken

    def _is_told_as_new(self, family: Family, group: Group) -> bool:
        """Whether its series become points that may be told so."""
        if family.kind not in _KINDS or group.suffix is not None or self._deltas.are_totals(family):
            return False
        first = group.series[0][1] if group.series else HistogramReading(())
        return isinstance(first, CounterReading) or bool(first.running) or first.native is not None

    def _new(self, name: str, group: Group, at: float) -> tuple[Group, list[_Point]]:
        series, under_way = list[Series](), list[_Point]()
        taken = self._deltas.taken.get(name, {})
        for values, told in group.series:
            reading = told.whole if isinstance(told, CounterReading) else told
            key = _key(name, group, (values, reading))
            before = taken.get(key)
            if before is not None and _has_begun_anew(reading, before.reading):
                before = None
            if before is not None and reading.events == before.reading.events:
                continue
            series.append((values, reading if before is None else _since(before, reading)))
            under_way.append((key, _Taken(reading, at)))
        return group._replace(series=series), under_way

    def _forget_removed(self, family: Family) -> None:
        """Of a family that could be read, keep no series that is gone."""
        taken = self._deltas.taken.get(family.name)
        if taken:
            there = {_key(family.name, group, series) for group in family.groups for series in group.series}
            for key in taken.keys() - there:
                del taken[key]


def _key(name: str, group: Group, series: Series) -> _Key:
    values, reading = series
    native = isinstance(reading, HistogramReading) and reading.native is not None
    return _Key(name, group.labelnames, values, group.bounds, native)


def _has_begun_anew(now: Any, before: Any) -> bool:
    """Whether it is another series by the same labels, or the same one from zero."""
    later = now.created is not None and before.created is not None and now.created > before.created
    return bool(later or now.events < before.events)


def _since(before: _Taken, now: Any) -> Any:
    """What has come since then. An exemplar that was told then is not told again."""
    had = before.reading
    if isinstance(now, CounterReading):
        exemplar = None if now.exemplar == had.exemplar else now.exemplar
        return CounterReading(CounterReading.added_up([now, had.negative]).total, before.at, exemplar)
    new = HistogramReading.added_up([now._replace(exemplars={}), had.negative])
    native = new.native
    if native is not None:
        told = had.native.nh_exemplars or ()
        native = native._replace(nh_exemplars=[each for each in now.native.nh_exemplars or () if each not in told])
    exemplars = {at: each for at, each in now.exemplars.items() if had.exemplars.get(at) != each}
    return new._replace(created=before.at, exemplars=exemplars, native=native)
