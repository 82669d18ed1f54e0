"""What a process's sums have come to, whatever became of the meters behind them: a total must not fall."""

from collections.abc import Callable, Iterable, Iterator

from manometer.exporter.multiprocess.snapshot import Family, Group, Process, Row, Shape, Snapshot
from manometer.exporter.multiprocess.totals import Totals, negative, negative_native
from manometer.exporter.multiprocess.ways import by_itself
from manometer.meters.labels import SERIES_CAP

__all__ = ["Continuity"]

_Head = tuple[tuple[str, str, str, str], tuple[str, tuple[str, ...], Shape]]
"""A family and a group of it, but for the rows: one for all the series of a collection that are in there."""
_Seen = tuple[_Head, Row, float, float, float]
"""A series: its row in the last collection that it was in, when that began, when the series did, and what of it
never falls, as the sum does where negatives are observed. A plain tuple, for the reason that a row is one."""

_COUNTS = ("_count", "_total")


class Continuity:
    """Knows what completes each collection of a process: what is no longer in it.

    In one process, a counter that starts again from zero is a reset, and Prometheus sees it. In a sum of several it
    looks like a fall of the sum, and so like a jump by all the others. So a series that is taken off stays as it
    was, one that starts again goes on from there, and one whose collector failed once comes back as it was.

    folded: hears of each family that has lost more series than are kept one by one.
    moved: whether the last collection told of any event, but for those of a process that runs and does nothing.
    """

    def __init__(self, folded: Callable[[str], None] | None = None) -> None:
        self._folded = folded
        self._last: dict[tuple[str, ...], _Seen] = {}
        self._past: list[Family] = []
        self._of_parent: dict[tuple[str, ...], _Seen] = {}
        self.moved = False

    def inherit(self, families: Iterable[Family], now: float) -> None:
        """Take off from now on what these series begin with, as another process tells it: they go on from there."""
        self._of_parent = dict(self._series(families, now))

    def inherit_from(self, parent: "Continuity") -> None:
        """Take off from now on what the parent's last collection had of each series: they go on from there."""
        self._of_parent = dict(parent._last)

    def besides(self, families: Iterable[Family], now: float) -> list[Family]:
        """What there was besides these, of a collection that began at `now`: families to be added to them."""
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
        while len(gone) > SERIES_CAP:
            ended.append(gone.pop(next(iter(gone))))
        if ended:
            self._past = self._added_up(self._past + self._alone(ended))
        self._last = gone | present
        return self._added_up(self._alone(gone.values())) + self._past

    def _series(self, families: Iterable[Family], now: float) -> Iterator[tuple[tuple[str, ...], _Seen]]:
        """The series that add up over time, each with what tells it from all others."""
        for family in families:
            for group in family.groups:
                if group.mode != "sum" or family.kind == "gauge":
                    continue
                head = family[:-1], group[:-1]  # plain tuples, as rows are
                start = next((at for at, (_, _, begins) in enumerate(group.shape) if begins), None)
                count = next((at for at, (name, _, _) in enumerate(group.shape) if name.endswith(_COUNTS)), 0)
                for row in group.rows:
                    labelvalues, values, _, _, native = row
                    born = 0.0 if start is None else values[start]
                    events = values[count] if native is None else native.histogram.count_value
                    yield (family.name, *group.labelnames, *labelvalues), (head, row, now, born, events)

    def _alone(self, series: Iterable[_Seen]) -> list[Family]:
        """Each as a family of its own."""
        return [Family(*family, [Group(*group, [row])]) for (family, group), row, *_ in series]

    def _added_up(self, families: list[Family]) -> list[Family]:
        totals = Totals(SERIES_CAP, self._folded)
        totals.add(Snapshot(Process(0), families))
        return totals.families()


def _continues(series: _Seen, before: _Seen) -> bool:
    """Whether this is what that one came to since, and not another start of it."""
    _, _, _, born, events = series
    _, _, seen, born_before, events_before = before
    return events >= events_before and (born == born_before or born <= seen)


def _negative(series: _Seen) -> _Seen:
    """What takes that much off where the two add up."""
    head, (labelvalues, values, _, set_at, native), now, born, events = series
    _, (_, _, shape) = head
    taken = None if native is None else native._replace(histogram=negative_native(native.histogram))
    return head, (labelvalues, negative(shape, values), (), set_at, taken), now, born, events
