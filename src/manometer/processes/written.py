"""What a process's file says by now, and the lines that bring it up to date: of the series that changed alone."""

from collections import Counter as Tally
from collections.abc import Collection, Sequence
from itertools import compress
from operator import is_not
from typing import Any, NamedTuple

from manometer.meters.columns import Columns, columns
from manometer.meters.family import Family, Group, Series, Values
from manometer.meters.readings import GaugeReading, HistogramReading, Reading
from manometer.processes.file_writing import corrections, head_of, lines

__all__ = ["Update", "Written"]

_Key = tuple[object, ...]
"""What tells the rows of a group from those of others."""


class _Rows(NamedTuple):
    """The series of one group as they were written last, and the numbers of their rows in the file."""

    series: Columns
    numbers: Sequence[int]


_NONE = _Rows(Columns([], []), ())


class Written(NamedTuple):
    """What the file says. rows: how many were ever written to it, those included that were taken back."""

    groups: dict[_Key, _Rows]
    rows: int = 0


class _Difference(NamedTuple):
    """What a group comes to, and what of it is not written: series, and readings in the place of those of rows.

    A row whose series is gone has None for a reading.
    """

    told: _Rows
    new: Sequence[Series]
    changed: list[tuple[int, Reading | None]]


class Update:
    """Makes of all families of a collection the lines that a file lacks of them. It changes nothing of `before`.

    A series that nobody wrote to gives the very reading that it gave last. So to compare a series takes one look.
    """

    def __init__(self, before: Written) -> None:
        self._before = before
        self._groups: dict[_Key, _Rows] = {}
        self._count = before.rows
        self._alike = Tally[_Key]()
        self._lines: list[bytes] = []

    def tell(self, families: Collection[Family]) -> None:
        """Take in families; none where something in them is neither text nor a number: TypeError or ValueError."""
        groups: dict[_Key, _Rows] = {}
        count, alike, found = self._count, self._alike.copy(), []
        for family in families:
            for group in family.groups:
                if group.series:
                    head = (*family[:-1], *head_of(group), _width(group))
                    before = self._before.groups.get((*head, alike[head]), _NONE)
                    groups[*head, alike[head]], new, changed = _difference(columns(group.series), before, count)
                    if new:
                        found += lines(family._replace(groups=[group._replace(series=new)]))
                        count += len(new)
                    found += corrections(family.kind, group.suffix, changed)
                    alike[head] += 1
        self._groups |= groups
        self._lines += found
        self._count, self._alike = count, alike

    def done(self) -> tuple[list[bytes], Written]:
        """The lines, and what the file says with them. Series that were told of no more are taken back."""
        gone = [rows for key, rows in self._before.groups.items() if key not in self._groups]
        taken_back = [(number, None) for rows in gone for number in rows.numbers]
        return self._lines + corrections("", None, taken_back), Written(self._groups, self._count)


def _difference(series: Columns, before: _Rows, count: int) -> _Difference:
    """count: the number of the first row that is new."""
    values, readings = series.values, series.readings
    earlier, known = before.series.readings, len(before.series)
    if values is not before.series.values and values[:known] != before.series.values:
        return _matched(series, before, count)
    others = compress(range(known), map(is_not, readings, earlier))
    moved = [at for at in others if _differ(readings[at], earlier[at])]
    new = series[known:]
    numbers = [*before.numbers, *range(count, count + len(new))] if new else before.numbers
    return _Difference(_Rows(series, numbers), new, [(before.numbers[at], readings[at]) for at in moved])


def _matched(series: Columns, before: _Rows, count: int) -> _Difference:
    """The same, one by one: some are gone, or come in another order."""
    left: dict[Values, list[tuple[int, Any]]] = {}
    for (values, reading), number in zip(*before, strict=True):
        left.setdefault(values, []).append((number, reading))  # a series may stand in several rows
    new: list[Series] = []
    changed: list[tuple[int, Reading | None]] = []
    numbers = []
    for values, reading in series:
        if left.get(values):
            number, earlier = left[values].pop(0)
            if _differ(reading, earlier):
                changed.append((number, reading))
        else:
            number = count + len(new)
            new.append((values, reading))
        numbers.append(number)
    changed += [(number, None) for rows in left.values() for number, _ in rows]
    return _Difference(_Rows(series, numbers), new, changed)


def _differ(reading: Reading, earlier: Reading) -> bool:
    """Whether two readings would be shown differently. A zero and a negative zero are equal, and would be."""
    if reading != earlier:
        return True
    return isinstance(reading, GaugeReading) and not reading.value and repr(reading) != repr(earlier)


def _width(group: Group) -> int:
    """How many counts its histograms have, which are the same for all rows of a line."""
    reading = group.series[0][1]
    return len(reading.running) if isinstance(reading, HistogramReading) else 0
