"""The figures of several processes made one: sums that do not depend on who is added when, and the gauges' ways."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from math import fsum, inf, isfinite
from typing import Any

from prometheus_client import Metric
from prometheus_client.samples import Exemplar, NativeHistogram, Sample

from manometer.meters.exponential import ExponentialBuckets, seen
from manometer.meters.labels import OTHER
from manometer.processes.snapshot import Family, Group, Native, Row, Shape, Slot, Snapshot, Told

__all__ = ["Merge", "negative", "negative_native"]

Labels = tuple[tuple[str, str], ...]
Rows = list[Sequence[float]]

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
                series.update((group.labelnames, *row[0]) for row in group.rows if {*row[0]} != {OTHER})
        for key, series in found.items():
            self._room[key] = max(self._room.get(key, 0), len(series))

    def add(self, snapshot: Snapshot) -> None:
        """Take in one process; of one that is not alive, what outlasts it."""
        for family in snapshot.families:
            for group in family.groups:
                if snapshot.alive or group.mode in _LASTING:
                    self._add(family, group, snapshot.process.label)

    def metrics(self, failed: Callable[[str], None] | None = None) -> list[Metric]:
        """The families, for an exposition; of one whose kind was changed, the kind that came in first.

        failed: hears, where an exception is handled, of a family that cannot be made, and so is missing.
        """
        first: dict[str, _FamilyTotals] = {}
        for (name, _), family in self._families.items():
            first.setdefault(name, family)
        found = []
        for name, family in first.items():
            try:
                found.append(family.metric())
            except Exception:
                if failed is None:
                    raise
                failed(name)
        return found

    def families(self) -> list[Family]:
        """The same as rows that lose nothing: what is added to them later comes out as if it had been now."""
        return [family.family() for family in self._families.values()]

    def _add(self, family: Family, group: Group, pid: str) -> None:
        key = family.name, family.kind
        totals = self._families.get(key)
        if totals is None:
            totals = self._families[key] = _FamilyTotals(family)
        cap = inf if self._max_series is None else max(self._max_series, self._room.get(key, 0))
        names = group.labelnames
        each = group.mode in ("all", "liveall") and "pid" not in names
        order = sorted(range(len(names)), key=names.__getitem__)  # processes may have them in another
        for row in group.rows:
            labels = tuple([(names[at], row[0][at]) for at in order])
            if each:
                labels += (("pid", pid),)
            found = totals.series.get(labels)
            if found is None:
                if len(totals.series) >= cap:
                    labels = tuple([(label, OTHER) for label, _ in labels])
                    if self._on_fold is not None:
                        self._on_fold(family.name)
                found = totals.series.get(labels)
                if found is None:
                    found = totals.series[labels] = _Series(group.mode)
            found.add(group.shape, row)


class _FamilyTotals:
    """The series of one family."""

    def __init__(self, family: Family) -> None:
        self._name, self._kind, self._help, self._unit, _ = family
        self.series: dict[Labels, _Series] = {}

    def metric(self) -> Metric:
        metric = Metric(self._name, self._help, self._kind, self._unit)
        for labels, series in self.series.items():
            shape, rows = series.parts()
            plain, native = dict(labels), series.native()
            for slot, value in zip(shape, _total(shape, rows), strict=True):
                name, bound, _ = slot
                shown = plain if bound is None else plain | {"le": bound}
                if native is not None and name == self._name:
                    found = native.histogram._replace(sum_value=value)
                    metric.samples.append(Sample(name, shown, 0.0, None, None, found))
                else:
                    metric.samples.append(Sample(name, shown, value, None, series.exemplars.get(slot)))
        return metric

    def family(self) -> Family:
        groups: dict[Any, Group] = {}
        for labels, series in self.series.items():
            shape, rows = series.parts()
            names = tuple([label for label, _ in labels])
            group = groups.setdefault((series.mode, *names, *shape), Group(series.mode, names, shape, []))
            texts = [text for _, text in labels]
            exemplars = [
                Told(at, series.exemplars[slot]) for at, slot in enumerate(shape) if slot in series.exemplars
            ]
            native = series.native()
            for values in _exact(shape, rows):
                group.rows.append((texts, values, exemplars, series.set_at, native))
                exemplars, native = [], None
        return Family(self._name, self._kind, self._help, self._unit, list(groups.values()))


class _Series:
    """One series: of those that are summed what each process has of it, else what came out on top."""

    __slots__ = ("_natives", "_parts", "exemplars", "mode", "set_at")

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.exemplars: dict[Slot, Exemplar] = {}
        self.set_at = 0.0
        self._parts: list[tuple[Shape, Sequence[float]]] = []
        self._natives: list[Native] = []

    def add(self, shape: Shape, row: Row) -> None:
        """Take in one process's row."""
        _, values, told, set_at, native = row
        for at, exemplar in told:
            kept = self.exemplars.get(shape[at])
            if kept is None or seen(exemplar) > seen(kept):
                self.exemplars[shape[at]] = exemplar
        how = self.mode.removeprefix("live")
        if how == "sum" or not self._parts:
            self._parts.append((shape, values))
            self.set_at = set_at
            if native is not None:
                self._natives.append(native)
        elif how in ("min", "max"):
            self._parts = [(shape, _nearer(how, self._parts[0][1], values))]
        elif set_at > self.set_at:
            self._parts = [(shape, values)]
            self.set_at = set_at

    def parts(self) -> tuple[Shape, Rows]:
        """What came in, with the same samples in each row."""
        shape = self._parts[0][0]
        if all(other == shape for other, _ in self._parts):
            return shape, [values for _, values in self._parts]
        return _conformed(self._parts)

    def native(self) -> Native | None:
        """What the exponential buckets that came in come to; their sum is a value like others."""
        found = self._natives
        if len(found) < 2:
            return found[0] if found else None
        limit = max(each.limit for each in found)
        return Native(ExponentialBuckets.together([each.histogram for each in found], limit).histogram(0.0), limit)


def _total(shape: Shape, rows: Rows) -> Sequence[float]:
    """The sum of each sample, rounded once: whatever grows in a process never lets it fall."""
    if len(rows) == 1:
        return rows[0]
    return [
        min(column) if begins else _sum(column)
        for (_, _, begins), column in zip(shape, zip(*rows, strict=True), strict=True)
    ]


def _exact(shape: Shape, rows: Rows) -> Iterable[Sequence[float]]:
    """As few rows as add up to the very same: the sums, then what rounding took off them, until it took nothing."""
    totals = _total(shape, rows)
    yield totals
    while len(rows) > 1:
        rows = [*rows, negative(shape, totals)]
        totals = [total if isfinite(total) else 0.0 for total in _total(shape, rows)]
        if not any(total for (_, _, begins), total in zip(shape, totals, strict=True) if not begins):
            return
        yield totals


def negative(shape: Shape, values: Sequence[float]) -> Sequence[float]:
    """What takes these off where the two add up."""
    return [inf if begins else -value for (_, _, begins), value in zip(shape, values, strict=True)]


def negative_native(histogram: NativeHistogram) -> NativeHistogram:
    """Likewise of exponential buckets; their sum is among the values."""
    return histogram._replace(
        count_value=-histogram.count_value,
        zero_count=-histogram.zero_count,
        pos_deltas=[-delta for delta in histogram.pos_deltas or ()],
        neg_deltas=[-delta for delta in histogram.neg_deltas or ()],
        nh_exemplars=[],
    )


def _sum(column: tuple[float, ...]) -> float:
    try:
        return fsum(column)
    except (OverflowError, ValueError):  # too large for a float on the way, or infinities of both signs
        return sum(column)


def _nearer(how: str, one: Sequence[float], other: Sequence[float]) -> Sequence[float]:
    return list(map(min if how == "min" else max, one, other))


def _conformed(parts: list[tuple[Shape, Sequence[float]]]) -> tuple[Shape, Rows]:
    """Rows of differing samples, such as of a histogram whose buckets were changed, over the samples of all."""
    slots = dict.fromkeys(chain.from_iterable(shape for shape, _ in parts))
    buckets = sorted([(float(slot[1]), slot) for slot in slots if slot[1] is not None])
    shape = (*(slot for _, slot in buckets), *(slot for slot in slots if slot[1] is None))
    return shape, [list(_over(shape, dict(zip(own, values, strict=True)))) for own, values in parts]


def _over(shape: Shape, known: dict[Slot, float]) -> Iterable[float]:
    below = 0.0
    for slot in shape:
        _, bound, begins = slot
        if bound is not None:
            below = known.get(slot, below)  # no bucket of its own ends here: it holds what the one below holds
            yield below
        else:
            yield known.get(slot, inf if begins else 0.0)
