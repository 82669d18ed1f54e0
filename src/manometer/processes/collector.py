"""The collector of a whole group: what any of its processes, or one that only looks on, answers to a scrape."""

import errno
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import time

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.catalogue import self_metrics as rows
from manometer.errors import IncompleteError
from manometer.meters.family import Family
from manometer.meters.fork import freed_in_child
from manometer.meters.metric_view import MetricView
from manometer.processes.directory import Directory
from manometer.processes.file_faults import Faults
from manometer.processes.merge import Merge
from manometer.processes.merge_modes import merge_mode
from manometer.processes.prometheus_files import families_of_files
from manometer.processes.snapshot import Process, Snapshot, shared
from manometer.processes.worker import Worker
from manometer.prometheus_internals import lock_of
from manometer.registry.catalogued import pulled
from manometer.registry.limits import share
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["GroupCollector", "group_registry", "onlooker"]

PROMETHEUS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus-client keeps its own files, which are shown too; those among ours are in any case."""

_PATIENCE = 2.0
"""Seconds that a scrape waits for a writing that is under way."""
_ONLY_LOOKS = (errno.EACCES, errno.EPERM, errno.EROFS)


class GroupCollector(Collector):
    """The figures of all processes of a directory, added up.

    besides: tells what this process has to add to them, which stands in none of the files; worker: this process's
    part, where it has one.
    """

    collector_name = "processes"
    tells_all = True
    tells_any_name = True
    """A registry knows no names of it, because they are those of whatever the processes have."""

    def __init__(
        self,
        directory: Directory,
        faults: Faults,
        besides: Callable[[], Sequence[Family]],
        worker: Worker | None = None,
    ) -> None:
        self._directory = directory
        self._faults = faults
        self._besides = besides
        self._worker = worker

    def collect(self) -> Iterable[Metric]:
        """The families. Raises IncompleteError where those of a live process are missing, and totals would fall."""
        try:
            found = self._read()
        except IncompleteError:
            found = self._read()  # it may be the file of this very process, which is there again
        totals = Merge()
        for snapshot in _without_idle_parents(found):
            totals.add(snapshot)
        totals.add(Snapshot(Process(0), families_of_files(self._prometheus_directories(), self._faults.unreadable)))
        totals.add(Snapshot(Process(0), self._besides()))
        return [
            *totals.metrics(self._faults.unadded),
            *map(MetricView, pulled([(rows.PROCESSES, {}, sum(each.alive for each in found))])),
        ]

    def _read(self) -> list[Snapshot]:
        if self._worker is None:
            self._settle()
        else:
            self._worker.flush(share(_PATIENCE))  # else what it has written last is shown
            pid = self._worker.unwritable
            if pid is not None:
                raise IncompleteError(
                    f"process {pid} cannot write its figures to {self._directory.path}, so they would be missing; "
                    "its log says why; where it lacks the right, let its user write there"
                )
        return self._directory.read()

    def _settle(self) -> None:
        try:
            self._directory.settle()
        except OSError as error:
            if error.errno not in _ONLY_LOOKS:
                self._faults.unwritten(self._directory.path, error)

    def _prometheus_directories(self) -> Iterable[Path]:
        named = os.environ.get(PROMETHEUS_VARIABLE)
        return {self._directory.path, *([Path(named).absolute()] if named else [])}


def _without_idle_parents(found: Collection[Snapshot]) -> Iterator[Snapshot]:
    """The snapshots, without the state of a process that has forked live ones and did nothing since."""
    parents = {each.process.parent for each in found if each.alive}
    for each in found:
        if each.alive and each.process.only_forks and each.file in parents:
            yield each._replace(families=[_without_state(family) for family in each.families])
        else:
            yield each


def _without_state(family: Family) -> Family:
    """The family without what objects told; a gauge that the program set stays, since no child has its value."""
    return family._replace(
        groups=[
            group._replace(series=[each for each in group.series if getattr(each[1], "set_at", None) is not None])
            if group.merge_mode == "livesum"
            else group
            for group in family.groups
        ]
    )


def group_registry(worker: Worker) -> CollectorRegistry:
    """A registry to serve in the place of the worker's own: it holds the figures of the whole group."""
    # Shown is what has been written, by this process too: else the next scrape, of another one, would fall back
    # behind this. Only faults could not be seen that way.
    return _registry(GroupCollector(worker.directory, worker.faults, worker.faults.untold, worker))


def onlooker(path: Path, own: CollectorRegistry | None = None) -> CollectorRegistry:
    """A registry that holds the figures of a group that this process is not of.

    own: where Manometer measures itself in this process, which is shown with the group's figures.
    Raises ConfigError where others may write to the directory.
    """
    own = CollectorRegistry() if own is None else own
    faults = Faults(SelfMetrics.of(own))
    directory = Directory(path.absolute(), faults.unreadable, of_anyone=True)
    directory.need_trust()
    return _registry(GroupCollector(directory, faults, partial(_measured_of_itself, own)))


def _measured_of_itself(own: CollectorRegistry) -> list[Family]:
    now = time()
    return [shared(each, merge_mode(own, each.name, each.type), now) for each in SelfMetrics.of(own).collect()]


def _registry(collector: GroupCollector) -> CollectorRegistry:
    registry = CollectorRegistry()
    freed_in_child(lock_of(registry))
    registry.register(collector)
    return registry
