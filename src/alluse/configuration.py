"""Where the settings come from: a file with its profiles, the environment, and the command line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alluse.settings import Settings
from manometer import Settings as MetricsSettings
from manometer.config import load

__all__ = ["PROGRAM", "Both", "Configuration"]

PROGRAM = "alluse"
"""The engine's settings stand under `programs: {alluse: ...}` of a file, and in variables ALLUSE_<NAME>."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Loads the engine's settings and Manometer's, as often as it is asked.

    file, profile: by default those that MANOMETER_CONFIG_FILE and MANOMETER_PROFILE name.
    engine, metrics: what the command line gives of each, by name; None is for what it does not give.
    """

    file: Path | None = None
    profile: str | None = None
    engine: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def engine_settings(self) -> Settings:
        """The engine's; manometer's ConfigError where they are wrong."""
        return load(Settings, PROGRAM, self.file, profile=self.profile, options=self.engine).settings

    def metrics_settings(self) -> MetricsSettings:
        """Manometer's; its ConfigError where they are wrong."""
        environ = {"OTEL_SERVICE_NAME": PROGRAM, **os.environ}
        return MetricsSettings.load(self.file, environ, profile=self.profile, options=self.metrics)


class Both:
    """Loads the settings of both, Manometer's and the engine's, now and at each call.

    A mistake in either refuses both.
    metrics, engine: those that were last right; are_right: whether the last call's are.
    Raises manometer's ConfigError where anything is wrong.
    """

    metrics: MetricsSettings
    engine: Settings
    are_right: bool

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self()

    def __call__(self) -> MetricsSettings:
        """Manometer's; its ConfigError where anything is wrong."""
        self.are_right = False
        metrics, engine = self._configuration.metrics_settings(), self._configuration.engine_settings()
        self.metrics, self.engine, self.are_right = metrics, engine, True
        return metrics
