"""The collector of a whole group: what any of its processes, or one that only looks on, answers to a scrape."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.catalogue import kit as rows
from manometer.exporter.multiprocess.directory import Directory
from manometer.exporter.multiprocess.faults import Faults
from manometer.exporter.multiprocess.peer import peer_families
from manometer.exporter.multiprocess.snapshot import Snapshot
from manometer.exporter.multiprocess.totals import Totals
from manometer.exporter.multiprocess.worker import Worker
from manometer.meters.catalogued import pulled
from manometer.meters.fork import freed_in_child
from manometer.meters.kit import Kit

__all__ = ["Together", "onlooker", "together"]

PEER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus-client keeps its own files, which are shown too; those among ours are in any case."""

_ONLY_LOOKS = (errno.EACCES, errno.EPERM, errno.EROFS)


class Together(Collector):
    """The figures of all processes of a directory, added up. worker: this process's part, where it has one."""

    collector_name = "processes"

    def __init__(self, directory: Directory, faults: Faults, worker: Worker | None = None) -> None:
        self._directory = directory
        self._faults = faults
        self._worker = worker

    def collect(self) -> Iterable[Metric]:
        if self._worker is not None:
            self._worker.flush()
        else:
            self._settle()
        found = self._directory.read()
        totals = Totals()
        for snapshot in found:
            totals.add(snapshot)
        totals.add(Snapshot(0, peer_families(self._peers(), self._faults.unreadable)))
        # Shown is what has been written, by this process too: else the next scrape, of another one, would fall back
        # behind this. Only faults could not be seen that way.
        totals.add(Snapshot(0, self._faults.untold()))
        return [*totals.metrics(), *pulled([(rows.PROCESSES, {}, sum(each.alive for each in found))])]

    def _settle(self) -> None:
        try:
            self._directory.settle()
        except OSError as error:
            if error.errno not in _ONLY_LOOKS:
                self._faults.unwritten(self._directory.path, error)

    def _peers(self) -> Iterable[Path]:
        named = os.environ.get(PEER_VARIABLE)
        return {self._directory.path, *([Path(named).absolute()] if named else [])}


def together(worker: Worker) -> CollectorRegistry:
    """A registry to serve in the place of the worker's own: it holds the figures of the whole group."""
    return _registry(Together(worker.directory, worker.faults, worker))


def onlooker(path: Path) -> CollectorRegistry:
    """A registry that holds the figures of a group that this process is not of."""
    faults = Faults(Kit.of(CollectorRegistry()))
    return _registry(Together(Directory(path.absolute(), faults.unreadable), faults))


def _registry(collector: Together) -> CollectorRegistry:
    registry = CollectorRegistry()
    freed_in_child(registry._lock)
    registry.register(collector)
    return registry
