"""Putting a collector on a registry, with an answer that helps where its names are taken."""

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector, DuplicateTimeseries

from manometer.errors import MetricError
from manometer.meters.fork import freed_in_child

__all__ = ["DuplicateMetricError", "register"]


class DuplicateMetricError(MetricError, DuplicateTimeseries):
    """Two metrics of one name on one registry; prometheus-client's error too, for code that catches that."""

    def __init__(self, what: str, duplicates: set[str]) -> None:
        DuplicateTimeseries.__init__(self, duplicates)
        self.args = (
            f"{what} cannot be registered: the registry has {', '.join(sorted(duplicates))} already; "
            "give one of the two another name, or use the metric that is there",
        )


def register(registry: CollectorRegistry, collector: Collector, what: str) -> None:
    """Register the collector. what: how to name it in the error that is raised where its names are taken."""
    freed_in_child(registry._lock)
    try:
        registry.register(collector)
    except DuplicateTimeseries as error:
        raise DuplicateMetricError(what, error.duplicates) from None
