"""The service: an engine under load, with its metrics, control endpoint and faults, as parts of one life."""

import logging
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from prometheus_client import REGISTRY

from alluse.configuration import Both
from alluse.control import Control
from alluse.engine import Engine
from alluse.errors import SettingsError
from alluse.faults import Fault, Faults
from alluse.instrumentation import instrument
from alluse.settings import Settings
from manometer import ConfigError, Life, Manometer
from manometer.config import Live

__all__ = ["TICK", "Running", "Service"]

TICK = 0.2
"""Seconds between two looks at what may end the service."""

_log = logging.getLogger("alluse")


@dataclass(frozen=True, slots=True)
class Running:
    """A service that runs. faults_url: where the control endpoint is."""

    engine: Engine
    manometer: Manometer
    faults_url: str
    live: Live[Settings]
    settings: Both

    @property
    def metrics_url(self) -> str:
        """Where the exporter is, which has /metrics."""
        return self.manometer.url

    def reload(self) -> None:
        """Read the settings again, the engine's and Manometer's; the log says what has changed, and what is wrong.

        Manometer counts how that ended.
        """
        self.manometer.reload()
        if self.settings.are_right:
            self.live.take(self.settings.engine)


@dataclass(frozen=True, slots=True)
class Service:
    """What to run. control_port: None for any."""

    settings: Both
    control_port: int | None = None
    faults: Sequence[Fault] = ()

    def start(self, life: Life) -> Running:
        """Start everything, the exporter first: it shows the start, and stops last, with the engine's last spans.

        At the end of the life the engine ends what it has begun. Raises an AllUseError where a part cannot start.
        """
        metrics, settings = self.settings.metrics, self.settings.engine
        if self.control_port == metrics.port != 0:
            raise SettingsError(
                f"--port and --control-port are both {metrics.port}; give the control endpoint another"
            )
        try:
            manometer = life.start(Manometer(metrics, load=self.settings))
        except ConfigError as error:
            raise SettingsError(f"{error} (on this command line: --host, --port)") from None
        engine = life.start(closing(Engine(settings)))
        instrument(engine, REGISTRY)
        control = life.start(self._control(engine.faults, metrics.port))
        for fault in self.faults:
            engine.faults.start(fault)
        engine.start(settings.rate)
        live = Live(settings)
        live.on_change(["rate"], lambda new: engine.load.change(new.rate))
        _log.info(
            "ALL-USE runs",
            extra={
                "metrics": f"{manometer.url}/metrics",
                "faults": f"{control.url}/faults",
                "rate": settings.rate,
            },
        )
        return Running(engine, manometer, control.url, live, self.settings)

    def _control(self, faults: Faults, metrics_port: int) -> Control:
        """The control endpoint on the port that was asked for; by default the next one where that is free."""
        if self.control_port is not None:
            return Control(faults, self.control_port)
        if 0 < metrics_port < 65535:
            with suppress(SettingsError):
                return Control(faults, metrics_port + 1)
        return Control(faults, 0)
