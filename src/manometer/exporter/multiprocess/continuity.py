"""What a process's sums have come to, whatever became of the meters behind them: a total must not fall."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from manometer.exporter.multiprocess.snapshot import Family, Group, Row, Snapshot
from manometer.exporter.multiprocess.totals import Totals
from manometer.meters.labels import SERIES_CAP

__all__ = ["Continuity"]


@dataclass(frozen=True, slots=True)
class _Series:
    family: Family
    group: Group
    row: Row
    seen: float  # when the collection began in which it was last
    born: float
    count: float  # what never falls, as the sum does where negatives are observed

    def continues(self, before: "_Series") -> bool:
        """Whether this is what the series came to since, and not another start of it."""
        fell = self.count < before.count
        return not fell and (self.born == before.born or self.born <= before.seen)

    @property
    def alone(self) -> Family:
        return self.family._replace(groups=[self.group._replace(rows=[self.row])])


class Continuity:
    """Completes each collection of a process by what is no longer in it.

    In one process, a counter that starts again from zero is a reset, and Prometheus sees it. In a sum of several it
    looks like a fall of the sum, and so like a jump by all the others. So a series that is taken off stays as it
    was, one that starts again goes on from there, and one whose collector failed once comes back as it was.

    folded: hears of each family that has lost more series than are kept one by one.
    """

    def __init__(self, folded: Callable[[str], None] | None = None) -> None:
        self._folded = folded
        self._last: dict[tuple[str, ...], _Series] = {}
        self._past: list[Family] = []

    def complete(self, families: Iterable[Family], now: float) -> list[Family]:
        """The families of a collection that began at `now`, and in more of the same names what there was besides."""
        complete = list(families)
        present: dict[tuple[str, ...], _Series] = {}
        ended: list[_Series] = []
        for family in complete:
            for group in family.groups:
                if group.mode != "sum" or family.kind == "gauge":
                    continue
                born, count = _place(group, "_created"), _place(group, "_count", "_total") or 0
                for row in group.rows:
                    key = (family.name, *group.labelnames, *row.labelvalues)
                    since = 0.0 if born is None else row.values[born]
                    events = row.values[count] if row.native is None else row.native.histogram.count_value
                    present[key] = series = _Series(family, group, row, now, since, events)
                    before = self._last.pop(key, None)
                    if before is not None and not series.continues(before):
                        ended.append(before)
        gone = self._last
        while len(gone) > SERIES_CAP:
            ended.append(gone.pop(next(iter(gone))))
        if ended:
            self._past = self._added_up(self._past + [series.alone for series in ended])
        self._last = gone | present
        return complete + self._added_up([series.alone for series in gone.values()]) + self._past

    def _added_up(self, families: list[Family]) -> list[Family]:
        totals = Totals(SERIES_CAP, self._folded)
        totals.add(Snapshot(0, families))
        return totals.families()


def _place(group: Group, *endings: str) -> int | None:
    return next((at for at, (name, _) in enumerate(group.shape) if name.endswith(endings)), None)
