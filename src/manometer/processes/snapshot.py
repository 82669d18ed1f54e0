"""What one process tells the others: who it is, and its families."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from manometer.meters.family import Family, Series, kind_of_reading
from manometer.meters.readings import GaugeReading
from manometer.registry.collection import Collected
from manometer.registry.foreign import family_of

__all__ = ["Process", "Snapshot", "apart", "shared"]


class Process(NamedTuple):
    """A process, or one of the interpreters in it.

    parent: the file of the process that it was forked from; only_forks: whether it has forked others, and nothing
    but that since it did so first.
    """

    pid: int
    interpreter: int = 0
    parent: str = ""
    only_forks: bool = False

    @property
    def label(self) -> str:
        """What tells its series from others'."""
        return f"{self.pid}.{self.interpreter}" if self.interpreter else str(self.pid)


class Snapshot(NamedTuple):
    """The figures of a process, or of all that have ended.

    families: a series may stand in them several times, which then adds up as those of several processes do.
    alive: whether the process is; includes: the files whose figures have been added to these; file: where it stood.
    """

    process: Process
    families: Sequence[Family]
    alive: bool = True
    includes: Collection[str] = ()
    file: str = ""


def shared(found: Collected, merge_mode: str, now: float) -> Family:
    """A family of a collection that was made at `now`, as other processes are told it.

    Raises ValueError where a collector says what no file may hold.
    """
    family = found if isinstance(found, Family) else family_of(found)
    return _shared(family, merge_mode, now)


def apart(found: Collected, merge_mode: str, now: float) -> Iterator[tuple[Family, object | None]]:
    """The same in one or two parts: what a meter says that keeps its removed series, with the meter, and the rest."""
    family = found if isinstance(found, Family) else family_of(found)
    others = []
    for group in family.groups:
        if group.source is not None and merge_mode == "sum":
            yield _shared(family._replace(groups=[group]), merge_mode, now), group.source
        else:
            others.append(group)
    if others or not family.groups:
        yield _shared(family._replace(groups=others), merge_mode, now), None


def _shared(family: Family, merge_mode: str, now: float) -> Family:
    groups = []
    for group in family.groups:
        # The quantiles of a summary do not add up as its count and sum do.
        mode = "liveall" if family.kind == "summary" and "quantile" in group.labelnames else merge_mode
        head = group._replace(series=(), merge_mode=mode, source=None, ended=())
        # What removed series had come to adds up with what there is, as another process's series does.
        told = [_told(family.kind, group.suffix, series, mode, now) for series in (group.series, group.ended)]
        groups += [head._replace(series=series) for series in told if series]
    return family._replace(groups=groups)


def _told(kind: str, suffix: str | None, series: Sequence[Series], mode: str, now: float) -> Sequence[Series]:
    """The series for others: as they are, as far as may be, since there may be very many."""
    if kind == "counter" and suffix is None:
        return [each if each[1].before is None else (each[0], each[1].whole) for each in series]
    if not mode.endswith("mostrecent") or kind_of_reading(kind, suffix) is not GaugeReading:
        return series
    # What was never set is no most recent value.
    dated = [(values, each._replace(set_at=now) if each.set_at is None else each) for values, each in series]
    return [each for each in dated if each[1].set_at]
