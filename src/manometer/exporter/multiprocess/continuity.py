"""What a process's sums have come to, whatever became of the meters behind them: a total must not fall."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from manometer.exporter.multiprocess.snapshot import Family, Group, Row, Snapshot
from manometer.exporter.multiprocess.totals import Totals
from manometer.meters.labels import SERIES_CAP

__all__ = ["Continuity"]


class _Series(NamedTuple):
    family: Family
    group: Group
    row: Row

    @property
    def progress(self) -> float:
        """The figure that never falls but in a restart; a histogram's sum may."""
        at = [name.endswith(("_count", "_total")) for name, _ in self.group.shape]
        return self.row.values[at.index(True) if True in at else 0]

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

    def complete(self, families: Iterable[Family]) -> list[Family]:
        """The families of a collection, and in more of the same names what there was besides."""
        complete = list(families)
        now: dict[tuple[str, ...], _Series] = {}
        ended: list[_Series] = []
        for family in complete:
            for group in family.groups:
                if group.mode != "sum" or family.kind == "gauge":
                    continue
                for row in group.rows:
                    key = (family.name, *group.labelnames, *row.labelvalues)
                    now[key] = series = _Series(family, group, row)
                    before = self._last.pop(key, None)
                    if before is not None and series.progress < before.progress:
                        ended.append(before)
        gone = self._last
        while len(gone) > SERIES_CAP:
            ended.append(gone.pop(next(iter(gone))))
        if ended:
            totals = Totals(SERIES_CAP, self._folded)
            for past in (self._past, [series.alone for series in ended]):
                totals.add(Snapshot(0, past))
            self._past = totals.families()
        self._last = gone | now
        return [*complete, *(series.alone for series in gone.values()), *self._past]
