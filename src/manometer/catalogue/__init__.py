"""The catalogue: every metric's name, unit, labels, buckets and help, once."""

from collections.abc import Mapping
from types import MappingProxyType

from manometer.catalogue import (
    cache,
    container,
    database,
    engine,
    health,
    host,
    pool,
    process,
    queue,
    resilience,
    runtime,
    self_metrics,
)
from manometer.catalogue.spec import Convention, Kind, MetricSpec, Reading, label

__all__ = ["SUBJECTS", "Convention", "Kind", "MetricSpec", "Reading", "label", "spec"]

SUBJECTS: Mapping[str, tuple[MetricSpec, ...]] = MappingProxyType(
    {
        "cache": cache.SPECS,
        "pool": pool.SPECS,
        "queue": queue.SPECS,
        "database": database.SPECS,
        "engine": engine.SPECS,
        "resilience": resilience.SPECS,
        "runtime": runtime.SPECS,
        "process": process.SPECS,
        "host": (*host.SPECS, *container.SPECS),
        "health": health.SPECS,
        "self_metrics": self_metrics.SPECS,
    }
)
"""The metrics of each subject, in the order in which they are documented and exposed."""


def spec(name: str) -> MetricSpec:
    """Return the metric of that OpenTelemetry or Prometheus name; KeyError where there is none."""
    return _BY_NAME[name]


_BY_NAME = {key: row for rows in SUBJECTS.values() for row in rows for key in (row.name, row.prometheus_name)}
