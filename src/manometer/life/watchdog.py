"""systemd's watchdog: fed by the program's main loop, while the health checks of the group `live` pass."""

import logging
from collections.abc import Callable
from math import inf

from manometer.health import LIVE, Checks, verdict
from manometer.life.systemd import Systemd

__all__ = ["Watchdog"]

_log = logging.getLogger("manometer")


class Watchdog:
    """Tells systemd now and then that nothing hangs, as often as somebody who would hang too calls `feed`.

    clock: seconds, monotonic, as of the `now` of `feed`.
    """

    def __init__(self, systemd: Systemd, checks: Checks, clock: Callable[[], float]) -> None:
        self._systemd, self._checks = systemd, checks
        patience = systemd.patience
        self.pause = inf if patience is None else patience / 4
        """Seconds that may pass between two calls of `feed`."""
        self._every = inf if patience is None else patience / 3
        self._due = inf if patience is None else clock()
        self._fails = False

    def feed(self, now: float) -> None:
        """Give a sign of life, where one is due and nothing hangs."""
        if now < self._due:
            return
        self._due = now + self._every
        problem = self._problem()
        if problem is None:
            self._systemd.alive()
        else:
            self._systemd.ailing(problem)
            if not self._fails:
                _log.error("systemd's watchdog is not fed: %s", problem)
        self._fails = problem is not None

    def _problem(self) -> str | None:
        """What `/livez` fails for, if it does."""
        failing = verdict(self._checks.all(), self._checks.lifecycle, LIVE).failing
        return f"health check {failing[0].name!r} fails: {failing[0].problem}" if failing else None
