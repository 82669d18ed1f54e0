"""Dashboards: a file a subject, and all of them as Grafana's JSON."""

from manometer.mixin.dashboards.grafana import render
from manometer.mixin.dashboards.overview import overview
from manometer.mixin.thresholds import Thresholds

__all__ = ["files"]

_DASHBOARDS = {"overview": overview}


def files(config: Thresholds) -> dict[str, str]:
    """The JSON of each dashboard by its file's name."""
    return {name: render(made(config)) for name, made in _DASHBOARDS.items()}
