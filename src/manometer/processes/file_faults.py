"""What goes wrong with the files of a group of processes: counted each time, logged once until it is well again."""

import logging
import time
from pathlib import Path

from manometer.catalogue import self_metrics as rows
from manometer.meters.family import Family
from manometer.meters.outages import Outages
from manometer.processes.snapshot import shared
from manometer.registry.catalogued import pulled
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Faults"]

_COMPLAINTS = 100  # files that are remembered as logged

_log = logging.getLogger("manometer")


class Faults:
    """The faults that this process met, in `manometer_process_file_failures_total`."""

    def __init__(self, self_metrics: SelfMetrics) -> None:
        self._self_metrics = self_metrics
        self._counter = self_metrics.file_failures
        self._complained: set[Path] = set()
        self.forget()

    def forget(self) -> None:
        """Nothing has been told yet: a forked child begins so."""
        self._outages = Outages()
        self._told: dict[str, float] = {}

    def unreadable(self, path: Path, error: Exception) -> None:
        """A file was left out."""
        self._counter.labels("read").inc()
        if path not in self._complained and len(self._complained) < _COMPLAINTS:
            self._complained.add(path)
            _log.warning("%s is left out of the figures: %s", path, error)

    def unadded(self, family_name: str) -> None:
        """Where an exception is handled: a family could not be added up over the processes."""
        self._self_metrics.failed(family_name, "the adding up of")

    def unwritten(self, directory: Path, error: Exception) -> None:
        """Where an exception is handled: a file could not be written, by the system's word or by a fault of ours."""
        self._counter.labels("write").inc()
        message = "figures cannot be written to %s (%s); they go on in memory until they can"
        # A fault of ours is logged during a full disk too.
        self._outages.failed((directory, isinstance(error, OSError)), message, directory, error)

    def written(self, directory: Path) -> None:
        """All could be written; the counts in there are known to everyone."""
        self._told = self._counts()
        for is_of_system in (True, False):
            self._outages.worked((directory, is_of_system), "figures are written to %s again", directory)

    def untold(self) -> list[Family]:
        """Faults since the last time that figures could be written."""
        missing = {name: count - self._told.get(name, 0.0) for name, count in self._counts().items()}
        figures = [
            (rows.PROCESS_FILE_FAILURES, {"operation": name}, count) for name, count in missing.items() if count
        ]
        return [shared(family, "sum", time.time()) for family in pulled(figures)]

    def _counts(self) -> dict[str, float]:
        return {operation: reading.total for (operation,), reading in self._counter.read()}
