"""A process as a member of a group: what its file tells of it, from its first collection to its end."""

import logging
import os
import time
from enum import Enum

from prometheus_client import CollectorRegistry

from manometer.background import INTERPRETER
from manometer.meters.family import Family
from manometer.processes.directory import Directory
from manometer.processes.file_reading import check
from manometer.processes.fork_baseline import counts_at_fork
from manometer.processes.growing_file import GrowingFile
from manometer.processes.merge_modes import in_own_files, merge_mode
from manometer.processes.resets import Resets
from manometer.processes.snapshot import Process, apart
from manometer.registry.limits import Limits
from manometer.registry.self_metrics import SelfMetrics
from manometer.registry.timely import collect_in_time

__all__ = ["Member"]

_log = logging.getLogger("manometer")


class _Role(Enum):
    """What a process has to do with forks."""

    ALONE = "it has made none"
    FORKED = "it has, and was not looked at since"
    WAITS = "it has done nothing since the first look after that"
    WORKS = "it has"


class Member:
    """Has a file of its own in the directory; a forked child is another member. parent: the file of its parent."""

    def __init__(self, directory: Directory, self_metrics: SelfMetrics, parent: str = "") -> None:
        self._self_metrics, self._parent = self_metrics, parent
        self._role = _Role.ALONE
        self.file = directory.own_file(INTERPRETER)
        self._figures = GrowingFile(self.file)
        self._resets = Resets(self_metrics.folded)

    def write(self, registry: CollectorRegistry, now: float, patience: float) -> None:
        """Bring the file up to date. A family that cannot be in it is left out, but for what its sums had come to.

        patience: seconds that a collector may take.
        """
        families: list[Family] = []
        of_meters: dict[object, Family] = {}
        update = self._figures.begin()
        for found in collect_in_time(registry, limits=Limits(patience)):
            name = str(found.name)
            try:
                if not in_own_files(registry, name):
                    kind = found.kind if isinstance(found, Family) else found.type
                    parts = list(apart(found, merge_mode(registry, name, kind), now))
                    for part, meter in parts:
                        if meter is None:  # a meter of ours has refused such values when they came
                            check(part)
                    update.tell([part for part, _ in parts])
                    families += [part for part, meter in parts if meter is None]
                    of_meters |= {meter: part for part, meter in parts if meter is not None}
            except Exception:
                self._self_metrics.failed(name, "the sharing of")
            else:
                self._self_metrics.worked(name, "the sharing of")
        if self._role is _Role.WAITS and self._resets.moved(families, of_meters):
            self._role = _Role.WORKS
        elif self._role is _Role.FORKED:
            self._role = _Role.WAITS
        update.tell(self._resets.besides(families, now, of_meters))
        only_forks = self._role in (_Role.FORKED, _Role.WAITS)
        self._figures.write(Process(os.getpid(), INTERPRETER, self._parent, only_forks), update)

    def has_forked(self) -> None:
        """Right after a fork, in the parent."""
        if self._role is _Role.ALONE:
            self._role = _Role.FORKED

    def inherit(self, registry: CollectorRegistry | None) -> None:
        """In a child: what prometheus-client's counters have is their parent's."""
        now = time.time()
        try:
            if registry is not None:
                self._resets.inherit(counts_at_fork(registry, now), now)
        except Exception:
            _log.exception("what prometheus-client's counters had before the fork is counted in the child as well")

    def inherit_from(self, parent: "Member") -> None:
        """In a child whose fork was noticed late: what the parent's last collection had is the parent's."""
        self._resets.inherit_from(parent._resets)
