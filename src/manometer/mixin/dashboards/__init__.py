"""Dashboards: a file a subject, and all of them as Grafana's JSON."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from manometer.mixin.dashboards import (
    analytics,
    cache,
    engine,
    exporter,
    fleet,
    host,
    overview,
    pool,
    resilience,
    runtime,
    slo,
    workers,
)
from manometer.mixin.dashboards.grafana import render
from manometer.mixin.dashboards.panel import Dashboard
from manometer.mixin.thresholds import Thresholds

__all__ = ["SUBJECTS", "files"]

SUBJECTS: Mapping[str, Callable[[Thresholds], Dashboard]] = MappingProxyType(
    {
        "overview": overview.dashboard,
        "engine": engine.dashboard,
        "cache": cache.dashboard,
        "pool": pool.dashboard,
        "workers": workers.dashboard,
        "resilience": resilience.dashboard,
        "runtime": runtime.dashboard,
        "host": host.dashboard,
        "analytics": analytics.dashboard,
        "fleet": fleet.dashboard,
        "exporter": exporter.dashboard,
        "slo": slo.dashboard,
    }
)
"""Each dashboard by the name of its file, in the order in which they are documented."""


def files(config: Thresholds) -> dict[str, str]:
    """The JSON of each dashboard by its file's name."""
    return {name: render(made(config), config) for name, made in SUBJECTS.items()}
