"""What a process's sums have come to, whatever became of the meters behind them: a total must not fall."""

from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from weakref import ref

from manometer.meters.family import Family, Group, Series
from manometer.meters.labels import SERIES_CAP
from manometer.processes.merge import Merge
from manometer.processes.merge_modes import by_itself
from manometer.processes.snapshot import Process, Snapshot

__all__ = ["Resets"]

_Key = tuple[Any, ...]
"""A family's name, and what else tells a series of it."""
_Seen = tuple[Family, Series, float]
"""A series as it was in the last collection that it was in, when that began, and a family that has its group's head:
one for all the series of a collection that are in there."""

_NONE: Mapping[object, Family] = MappingProxyType({})


class Resets:
    """Knows what completes each collection of a process: what is no longer in it.

    In one process, a counter that starts again from zero is a reset, and Prometheus sees it. In a sum of several it
    looks like a fall of the sum, and so like a jump by all the others. So a series that is taken off stays as it
    was, one that starts again goes on from there, and one whose collector failed once comes back as it was.

    A meter of ours itself keeps what its removed and its reset series came to. This class keeps a meter's family only
    while the whole family is missing: a series that is kept in both places would count twice.

    folded: hears of each family that has lost more series than are kept one by one.
    """

    def __init__(self, folded: Callable[[str], None] | None = None) -> None:
        self._folded = folded
        self._last: dict[_Key, _Seen] = {}
        self._of_meters: dict[ref[object], Family] = {}
        self._past: list[Family] = []
        self._of_parent: dict[_Key, _Seen] = {}
        self._of_parents_meters: dict[ref[object], Family] = {}

    def inherit(self, families: Iterable[Family], now: float) -> None:
        """Take off from now on what these series begin with, as another process tells it: they go on from there."""
        self._of_parent = dict(self._series(families, now))

    def inherit_from(self, parent: "Resets") -> None:
        """Take off from now on what the parent's last collection had of each series: they go on from there."""
        self._of_parent = dict(parent._last)
        self._of_parents_meters = dict(parent._of_meters)

    def moved(self, families: Collection[Family], of_meters: Mapping[object, Family] = _NONE) -> bool:
        """Whether a collection tells of an event since the last one, but for those of a process that does nothing."""
        for key, series in self._series(families, 0.0):
            before = self._last.get(key)
            if _events(series) != (0 if before is None else _events(before)) and not by_itself(key[0]):
                return True
        for meter, family in of_meters.items():
            told = self._of_meters.get(ref(meter))
            if _all_events(family) != (0 if told is None else _all_events(told)) and not by_itself(family.name):
                return True
        return False

    def besides(
        self, families: Collection[Family], now: float, of_meters: Mapping[object, Family] = _NONE
    ) -> list[Family]:
        """What there was besides these, of a collection that began at `now`: families to be added to them.

        of_meters: the families of meters that keep what their removed series came to.
        """
        present: dict[_Key, _Seen] = {}
        ended: list[_Seen] = []
        for key, series in self._series(families, now):
            present[key] = series
            before = self._last.pop(key, None)
            if before is not None and not _continues(series, before):
                ended.append(before)
            of_parent = self._of_parent.pop(key, None)
            if of_parent is not None and _continues(series, of_parent):
                head, (values, reading), began = of_parent
                ended.append((head, (values, reading.negative), began))
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
        for meter in told:
            of_parent = self._of_parents_meters.pop(meter, None)
            if of_parent is not None:
                found.append(_negative_family(of_parent))
        known = self._of_meters | told
        self._of_meters = {meter: family for meter, family in known.items() if meter() is not None}
        return found + [family for meter, family in known.items() if meter not in self._of_meters]

    def _series(self, families: Iterable[Family], now: float) -> Iterator[tuple[_Key, _Seen]]:
        """The series that add up over time, each with what tells it from all others."""
        told: set[_Key] = set()
        for family in families:
            for group in family.groups:
                if group.merge_mode != "sum" or family.kind == "gauge":
                    continue
                head = family._replace(groups=[group._replace(series=())])
                start = (family.name, group.suffix or "", *group.labelnames)
                for series in group.series:
                    key: _Key = (*start, *series[0])
                    while key in told:  # two collectors of another kit may tell of the same series
                        key = (*key, None)
                    told.add(key)
                    yield key, (head, series, now)

    def _alone(self, series: Iterable[_Seen]) -> list[Family]:
        """Each as a family of its own."""
        return [
            head._replace(groups=[group._replace(series=[each]) for group in head.groups]) for head, each, _ in series
        ]

    def _added_up(self, families: list[Family], max_series: int | None) -> list[Family]:
        totals = Merge(max_series, self._folded)
        totals.add(Snapshot(Process(0), families))
        return totals.families()


def _surplus(gone: dict[_Key, _Seen], names: Collection[str]) -> list[_Seen]:
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
    _, (_, reading), _ = series
    _, (_, earlier), seen = before
    born, born_before = reading.created or 0.0, earlier.created or 0.0
    return bool(reading.events >= earlier.events and (born == born_before or born <= seen))


def _events(series: _Seen) -> Any:
    _, (_, reading), _ = series
    return reading.events


def _all_events(family: Family) -> float:
    return float(sum(reading.events for _, reading in family.series))


def _negative_family(family: Family) -> Family:
    return family._replace(groups=[_negative_group(group) for group in family.groups])


def _negative_group(group: Group) -> Group:
    return group._replace(series=[(values, reading.negative) for values, reading in group.series])
