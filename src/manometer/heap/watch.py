"""Watches the memory of the process, and writes a report when it grows as a leak does."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock

from manometer.background import in_background
from manometer.errors import ConfigError
from manometer.heap.growth import Growth, measured, resident
from manometer.heap.report import told
from manometer.heap.trend import Trend
from manometer.meters.fork import freed_in_child, started_in_child
from manometer.whole_file import write_whole

__all__ = ["MEASURED", "PERIOD", "watch"]

PERIOD = 600.0
"""Seconds of which the least memory counts, since what comes and goes is no leak."""
MEASURED = 120.0
"""Seconds of a measurement: a leak stands out by then, and the program is slower meanwhile."""
_LOOKS = 10  # at the memory in a period
_APART = 6 * 6  # periods between two reports: a leak goes on, and looking at it costs

_log = logging.getLogger("manometer")


class _Watch:
    """A thread that looks at the memory now and then; each process has one of its own. users: who want it."""

    users = 0

    def __init__(self, path: Path, service: str) -> None:
        self.path, self._service = path, service
        self._stopped = Event()
        self.start_anew()
        started_in_child(self)

    def start_anew(self) -> None:
        """Begin without a past: in a forked child, it is the parent's."""
        if not self._stopped.is_set():
            self._stopped = Event()
            try:
                in_background(self._run, "manometer-memory", self.stop)
            except RuntimeError as error:
                _log.warning("memory is not watched: %s", error)

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _run(self) -> None:
        stopped, trend, rests = self._stopped, Trend(PERIOD), 0
        while not stopped.wait(PERIOD / _LOOKS):
            try:
                if not trend.add(time.monotonic(), resident()):
                    continue
                rests = max(rests - 1, 0)
                if not rests and trend.grows:
                    rests = _APART
                    growth = measured(MEASURED, stopped.wait)
                    if growth is not None:
                        self._tell(growth)
            except Exception:
                _log.exception("what takes more memory could not be found out")

    def _tell(self, growth: Growth) -> None:
        site = growth.sites[0].frames[0][0] if growth.sites else "nothing that Python allocated"
        where = f"{self.path} has more"
        try:
            write_whole(self.path, told(growth, self._service).encode(errors="backslashreplace"), 0o600)
        except OSError as error:
            where = f"{self.path} cannot be written: {error.strerror or error}"
        _log.warning("the memory has grown for two hours; what grows most is of %s; %s", site, where)


def watch(path: str, service: str) -> Callable[[], None]:
    """Watch until the function that comes back is called; several that ask for a file are one.

    path: of the report; service: the program's name. Raises ConfigError where no file can be written there.
    """
    place = Path(path).absolute()
    if place.is_dir() or not os.access(place.parent, os.W_OK | os.X_OK):
        raise ConfigError(f"memory_report {path} cannot be written; name a file in a folder of this user")
    with _lock:
        if place not in _watches:
            _watches[place] = _Watch(place, service)
        watching = _watches[place]
        watching.users += 1

    def undo() -> None:
        with _lock:
            watching.users -= 1
            if not watching.users:
                _watches.pop(place).stop()

    return undo


_watches: dict[Path, _Watch] = {}
_lock = freed_in_child(Lock())
