"""Hands the last figures over wherever the settings say: at each flush, and at the end."""

import logging
import os
from collections.abc import Callable, Iterator
from functools import partial

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.flushing import flushed_by, within
from manometer.handover import textfile
from manometer.handover.figures import figures_of
from manometer.redaction import brief, without_secrets
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Handover"]

PATIENCE = 10.0
"""Seconds that the end of the program waits for all of it."""

_log = logging.getLogger("manometer")


class Handover:
    """The last figures' way to the file and the gateway of the settings, where there are such.

    shown: what is handed over, which may be the figures of a whole group of processes; own: the program's registry,
    where it is counted. What fails is logged and counted, and never raised. A forked child has nothing to hand over:
    it is a process of its own, and the figures there are its parent's.
    """

    def __init__(self, settings: Settings, shown: CollectorRegistry, own: CollectorRegistry) -> None:
        self._settings, self._shown = settings, shown
        self._counted = SelfMetrics.of(own).handovers
        self._pid = os.getpid()
        self._undo = [flushed_by(partial(self._give, *each)) for each in self._receivers()]

    def close(self) -> None:
        """Hand the figures over a last time."""
        for undo in self._undo:
            undo()
        within(PATIENCE, [partial(self._give, *each) for each in self._receivers()])

    def _receivers(self) -> Iterator[tuple[str, str, Callable[[str, bytes], None]]]:
        """Each with its name in the figures, where it is, and what gives it the figures or raises OSError."""
        settings = self._settings
        if settings.textfile is not None:
            yield "textfile", settings.textfile, textfile.write
        if settings.pushgateway_url is not None:
            from manometer.handover.pushgateway import push  # slow to import, and few push

            yield "pushgateway", settings.pushgateway_url, push

    def _give(self, name: str, place: str, give: Callable[[str, bytes], None]) -> bool:
        if os.getpid() != self._pid:
            return True
        try:
            give(place, figures_of(self._shown, self._settings.collector_timeout))
        except Exception as error:
            reason = getattr(error, "strerror", None) or brief(str(error))
            _log.warning("the last figures did not get to %s: %s", without_secrets(place), reason)
            self._counted.labels(name, "error").inc()
            return False
        self._counted.labels(name, "ok").inc()
        return True
