"""The figures of several processes made one: sums that do not depend on who is added when, and the gauges' modes."""

from collections.abc import Callable, Sequence
from math import inf
from operator import itemgetter
from typing import Any

from manometer.meters.family import Family, Group, Series, Values, kind_of_reading
from manometer.meters.labels import OTHER
from manometer.meters.metric_view import MetricView
from manometer.meters.readings import GaugeReading, HistogramReading, Reading
from manometer.processes.changed_buckets import Head, check_counts, over_all_buckets
from manometer.processes.snapshot import Snapshot

__all__ = ["Merge"]

_LASTING = ("sum", "min", "max", "mostrecent")
"""Modes in which a process counts after its end."""


class Merge:
    """Takes in snapshots, and gives out what they come to.

    max_series: series that a family may have, past which new ones are added to the one whose labels are all
    `other`, and `on_fold` hears of it; None for no limit.
    """

    def __init__(self, max_series: int | None = None, on_fold: Callable[[str], None] | None = None) -> None:
        self._max_series = max_series
        self._on_fold = on_fold
        self._room: dict[tuple[str, str], int] = {}
        self._families: dict[tuple[str, str], _FamilyTotals] = {}

    def make_room(self, snapshot: Snapshot) -> None:
        """Let each family have as many series as this process has of it, where that is more than `max_series`."""
        found: dict[tuple[str, str], set[Any]] = {}
        for family in snapshot.families:
            series = found.setdefault((family.name, family.kind), set())
            for group in family.groups:
                series.update((group.labelnames, values) for values, _ in group.series if {*values} != {OTHER})
        for key, series in found.items():
            self._room[key] = max(self._room.get(key, 0), len(series))

    def add(self, snapshot: Snapshot) -> None:
        """Take in one process; of one that is not alive, what outlasts it."""
        for family in snapshot.families:
            groups = [group for group in family.groups if snapshot.alive or group.merge_mode in _LASTING]
            if groups:
                key = family.name, family.kind
                totals = self._families.get(key)
                if totals is None:
                    totals = self._families[key] = _FamilyTotals(family)
                cap = inf if self._max_series is None else max(self._max_series, self._room.get(key, 0))
                for group in groups:
                    totals.add(group, snapshot.process.label, cap, self._on_fold)

    def metrics(self, failed: Callable[[str], None] | None = None) -> list[MetricView]:
        """The families, for an exposition; of one whose kind was changed, the kind that came in first.

        failed: hears, where an exception is handled, of a family that cannot be made, and so is missing.
        """
        first: dict[str, _FamilyTotals] = {}
        for (name, _), totals in self._families.items():
            first.setdefault(name, totals)
        found = []
        for name, totals in first.items():
            try:
                found.append(MetricView(totals.family(_rounded)))
            except Exception:
                if failed is None:
                    raise
                failed(name)
        return found

    def families(self) -> list[Family]:
        """The same without a loss: what is added to them later comes out as if it had been now."""
        return [totals.family(_exact) for totals in self._families.values()]


class _Series:
    """One series: of those that are summed what each process has of it, else what came out on top."""

    __slots__ = ("heads", "mode", "readings")

    def __init__(self, mode: str, head: Head, reading: Any) -> None:
        self.mode = mode
        self.heads = [head]
        self.readings = [reading]

    def add(self, head: Head, reading: Any) -> None:
        """Take in another process's reading."""
        if self.mode in ("sum", "livesum"):
            self.heads.append(head)
            self.readings.append(reading)
        elif _is_above(self.mode.removeprefix("live"), reading, self.readings[0]):
            self.heads, self.readings = [head], [reading]


def _is_above(mode: str, reading: Any, kept: Any) -> bool:
    if mode == "min":
        return bool(reading.events < kept.events)
    if mode == "max" or not isinstance(reading, GaugeReading):  # of a total, the greatest is the most recent
        return bool(reading.events > kept.events)
    return (reading.set_at or 0.0) > (kept.set_at or 0.0)


class _FamilyTotals:
    """The series of one family."""

    def __init__(self, family: Family) -> None:
        self._family = family._replace(groups=())
        self._series: dict[tuple[str | None, Values], dict[Values, _Series]] = {}
        self._heads: dict[Head, Head] = {}
        self._count = 0

    def add(self, group: Group, pid: str, cap: float, on_fold: Callable[[str], None] | None) -> None:
        """Take in a group. cap: series that there may be, past which `on_fold` hears of each new one."""
        names, ordered = _ordered(group.labelnames)
        each = group.merge_mode in ("all", "liveall") and "pid" not in names
        own = (pid,) if each else ()
        kept = self._series.setdefault((group.suffix, names + ("pid",) * each), {})
        head, mode = (group.bounds, group.native_limit), group.merge_mode
        head = self._heads.setdefault(head, head)  # one object: that two are equal is then seen at once
        for values, reading in group.series:
            if ordered is not None:
                values = ordered(values)
            if each:
                values += own
            found = kept.get(values)
            if found is None and self._count >= cap:
                values = (OTHER,) * len(values)
                if on_fold is not None:
                    on_fold(self._family.name)
                found = kept.get(values)
            if found is None:
                kept[values] = _Series(mode, head, reading)
                self._count += 1
            else:
                found.add(head, reading)

    def family(self, added_up: "_AddUp") -> Family:
        """What they come to, in groups of series that have the same labels and buckets."""
        groups: dict[Any, tuple[Group, list[Series]]] = {}
        for (suffix, names), kept in self._series.items():
            kind = kind_of_reading(self._family.kind, suffix)
            for values, series in kept.items():
                heads, readings = series.heads, series.readings
                head = heads[0]
                if len(heads) > 1 and (heads.count(head) < len(heads) or _differ(readings)):
                    head, readings = over_all_buckets(heads, readings)
                found = added_up(kind, readings, head[1])
                key = (suffix, names, series.mode, head, _size(found[0]))
                if key not in groups:
                    check_counts(head, _size(found[0]))
                    groups[key] = Group(names, [], *head, suffix, series.mode), []
                groups[key][1].extend([(values, reading) for reading in found])
        return self._family._replace(groups=[group._replace(series=told) for group, told in groups.values()])


_AddUp = Callable[[type[Reading], Sequence[Any], int], Sequence[Reading]]


def _rounded(kind: type[Reading], readings: Sequence[Any], native_limit: int) -> Sequence[Reading]:
    return readings if len(readings) == 1 else [kind.added_up(readings, native_limit)]


def _exact(kind: type[Reading], readings: Sequence[Any], native_limit: int) -> Sequence[Reading]:
    return readings if len(readings) == 1 else kind.exact(readings, native_limit)


def _ordered(names: Values) -> tuple[Values, Callable[[Values], Values] | None]:
    """The label names in one order, since processes may have them in another, and what puts values in that order."""
    places = sorted(range(len(names)), key=names.__getitem__)
    if places == [*range(len(names))]:
        return names, None
    ordered = itemgetter(*places)
    return ordered(names), ordered


def _differ(readings: Sequence[Any]) -> bool:
    """Whether some do not tell all that others do."""
    return len({_size(reading) for reading in readings}) > 1


def _size(reading: Any) -> int:
    return len(reading.running) if isinstance(reading, HistogramReading) else 0
