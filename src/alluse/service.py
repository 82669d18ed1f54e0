"""The service: an engine under load, with its metrics, control endpoint and faults, as parts of one life."""

import logging
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from prometheus_client import REGISTRY

from alluse.control import Control
from alluse.engine import Engine
from alluse.errors import SettingsError
from alluse.faults import Fault, Faults
from alluse.instrumentation import instrument
from alluse.settings import Settings
from manometer import ConfigError, Life, Manometer
from manometer import Settings as MetricsSettings

__all__ = ["TICK", "Running", "Service"]

TICK = 0.2
"""Seconds between two looks at what may end the service."""

_log = logging.getLogger("alluse")


@dataclass(frozen=True, slots=True)
class Running:
    """A service that runs. metrics_url: the exporter's, which has /metrics; faults_url: the control endpoint's."""

    engine: Engine
    metrics_url: str
    faults_url: str


@dataclass(frozen=True, slots=True)
class Service:
    """What to run. metrics: Manometer's settings; control_port: None for any."""

    settings: Settings
    rate: float
    metrics: MetricsSettings
    control_port: int | None = None
    faults: Sequence[Fault] = ()

    def start(self, life: Life) -> Running:
        """Start everything, the exporter first: it shows the start, and stops last, with the engine's last spans.

        At the end of the life the engine ends what it has begun. Raises an AllUseError where a part cannot start.
        """
        if self.control_port == self.metrics.port != 0:
            raise SettingsError(
                f"--port and --control-port are both {self.control_port}; give the control endpoint another"
            )
        try:
            manometer = life.start(Manometer(self.metrics))
        except ConfigError as error:
            raise SettingsError(f"{error} (on this command line: --host, --port)") from None
        engine = life.start(closing(Engine(self.settings)))
        instrument(engine, REGISTRY)
        control = life.start(self._control(engine.faults, self.metrics.port))
        for fault in self.faults:
            engine.faults.start(fault)
        engine.start(self.rate)
        _log.info(
            "ALL-USE runs",
            extra={"metrics": f"{manometer.url}/metrics", "faults": f"{control.url}/faults", "rate": self.rate},
        )
        return Running(engine, manometer.url, control.url)

    def _control(self, faults: Faults, metrics_port: int) -> Control:
        """The control endpoint on the port that was asked for; by default the next one where that is free."""
        if self.control_port is not None:
            return Control(faults, self.control_port)
        if 0 < metrics_port < 65535:
            with suppress(SettingsError):
                return Control(faults, metrics_port + 1)
        return Control(faults, 0)
