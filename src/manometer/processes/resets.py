"""What a process's sums have come to, whatever became of the meters behind them: a total must not fall."""

from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from weakref import ref

from manometer.meters.labels import SERIES_CAP
from manometer.processes.merge import Merge, negative, negative_native
from manometer.processes.merge_modes import by_itself
from manometer.processes.snapshot import Family, Group, Process, Row, Shape, Snapshot

__all__ = ["Resets"]

_Head = tuple[tuple[str, str, str, str], tuple[str, tuple[str, ...], Shape]]
"""A family and a group of it, but for the rows: one for all the series of a collection that are in there."""
_Seen = tuple[_Head, Row, float, float, float]
"""A series: its row in the last collection that it was in, when that began, when the series did, and what of it
never falls, as the sum does where negatives are observed. A plain tuple, for the reason that a row is one."""

_COUNTS = ("_count", "_total")
_NONE: Mapping[object, Family] = MappingProxyType({})


class Resets:
    """Knows what completes each collection of a process: what is no longer in it.

    In one process, a counter that starts again from zero is a reset, and Prometheus sees it. In a sum of several it
    looks like a fall of the sum, and so like a jump by all the others. So a series that is taken off stays as it
    was, one that starts again goes on from there, and one whose collector failed once comes back as it was.

    A meter of ours itself keeps what its removed and its reset series came to. This class keeps a meter's family only
    while the whole family is missing: a series that is kept in both places would count twice.

    folded: hears of each family that has lost more series than are kept one by one.
    moved: whether the last collection told of any event, but for those of a process that runs and does nothing.
    """

    def __init__(self, folded: Callable[[str], None] | None = None) -> None:
        self._folded = folded
        self._last: dict[tuple[str, ...], _Seen] = {}
        self._of_meters: dict[ref[object], Family] = {}
        self._past: list[Family] = []
        self._of_parent: dict[tuple[str, ...], _Seen] = {}
        self._of_parents_meters: dict[ref[object], Family] = {}
        self.moved = False

    def inherit(self, families: Iterable[Family], now: float) -> None:
        """Take off from now on what these series begin with, as another process tells it: they go on from there."""
        self._of_parent = dict(self._series(families, now))

    def inherit_from(self, parent: "Resets") -> None:
        """Take off from now on what the parent's last collection had of each series: they go on from there."""
        self._of_parent = dict(parent._last)
        self._of_parents_meters = dict(parent._of_meters)

    def besides(
        self, families: Collection[Family], now: float, of_meters: Mapping[object, Family] = _NONE
    ) -> list[Family]:
        """What there was besides these, of a collection that began at `now`: families to be added to them.

        of_meters: the families of meters that keep what their removed series came to.
        """
        self.moved = False
        present: dict[tuple[str, ...], _Seen] = {}
        ended: list[_Seen] = []
        for key, series in self._series(families, now):
            present[key] = series
            before = self._last.pop(key, None)
            if not self.moved and series[-1] != (0 if before is None else before[-1]):
                self.moved = not by_itself(key[0])
            if before is not None and not _continues(series, before):
                ended.append(before)
            of_parent = self._of_parent.pop(key, None)
            if of_parent is not None and _continues(series, of_parent):
                ended.append(_negative(of_parent))
        gone = self._last
        ended += _surplus(gone, {family.name for family in families})
        of_the_dead = self._without_the_dead({ref(meter): family for meter, family in of_meters.items()})
        if ended or of_the_dead:
            self._past = self._added_up(self._past + self._alone(ended) + of_the_dead, SERIES_CAP)
        self._last = gone | present
        missing = [family for meter, family in self._of_meters.items() if meter() not in of_meters]
        return self._added_up(self._alone(gone.values()), None) + missing + self._past

    def _without_the_dead(self, told: dict[ref[object], Family]) -> list[Family]:
        """Remember what the meters told. Return what dead meters had told, and what takes off the parent's part."""
        found = []
        for meter, family in told.items():
            if not self.moved and not by_itself(family.name):
                before = self._of_meters.get(meter)
                self.moved = _all_events(family) != (0 if before is None else _all_events(before))
            of_parent = self._of_parents_meters.pop(meter, None)
            if of_parent is not None:
                found.append(_negative_family(of_parent))
        known = self._of_meters | told
        self._of_meters = {meter: family for meter, family in known.items() if meter() is not None}
        return found + [family for meter, family in known.items() if meter not in self._of_meters]

    def _series(self, families: Iterable[Family], now: float) -> Iterator[tuple[tuple[str, ...], _Seen]]:
        """The series that add up over time, each with what tells it from all others."""
        for family in families:
            for group in family.groups:
                if group.mode != "sum" or family.kind == "gauge":
                    continue
                head = family[:-1], group[:-1]  # plain tuples, as rows are
                start = next((at for at, (_, _, begins) in enumerate(group.shape) if begins), None)
                count = _count_at(group)
                for row in group.rows:
                    labelvalues, values, *_ = row
                    born = 0.0 if start is None else values[start]
                    yield (family.name, *group.labelnames, *labelvalues), (head, row, now, born, _events(row, count))

    def _alone(self, series: Iterable[_Seen]) -> list[Family]:
        """Each as a family of its own."""
        return [Family(*family, [Group(*group, [row])]) for (family, group), row, *_ in series]

    def _added_up(self, families: list[Family], max_series: int | None) -> list[Family]:
        totals = Merge(max_series, self._folded)
        totals.add(Snapshot(Process(0), families))
        return totals.families()


def _surplus(gone: dict[tuple[str, ...], _Seen], names: Collection[str]) -> list[_Seen]:
    """Take off the oldest series past each family's cap. A family that is missing as a whole may be back soon."""
    if len(gone) <= SERIES_CAP:
        return []
    counts = Tally(name for name, *_ in gone if name in names)
    found = []
    for key in list(gone):
        if counts[key[0]] > SERIES_CAP:
            counts[key[0]] -= 1
            found.append(gone.pop(key))
    return found


def _continues(series: _Seen, before: _Seen) -> bool:
    """Whether this is what that one came to since, and not another start of it."""
    _, _, _, born, events = series
    _, _, seen, born_before, events_before = before
    return events >= events_before and (born == born_before or born <= seen)


def _count_at(group: Group) -> int:
    return next((at for at, (name, _, _) in enumerate(group.shape) if name.endswith(_COUNTS)), 0)


def _events(row: Row, count_at: int) -> float:
    native = row[-1]
    return row[1][count_at] if native is None else native.histogram.count_value


def _all_events(family: Family) -> float:
    return sum(_events(row, at) for group in family.groups for at in [_count_at(group)] for row in group.rows)


def _negative(series: _Seen) -> _Seen:
    """What takes that much off where the two add up."""
    head, row, now, born, events = series
    return head, _negative_row(row, head[1][-1]), now, born, events


def _negative_family(family: Family) -> Family:
    groups = [group._replace(rows=[_negative_row(row, group.shape) for row in group.rows]) for group in family.groups]
    return family._replace(groups=groups)


def _negative_row(row: Row, shape: Shape) -> Row:
    labelvalues, values, _, set_at, native = row
    taken = None if native is None else native._replace(histogram=negative_native(native.histogram))
    return labelvalues, negative(shape, values), (), set_at, taken
