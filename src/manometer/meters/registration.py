"""Putting a collector on a registry, with an answer that helps where its names are taken."""

from ast import literal_eval

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from manometer.errors import MetricError
from manometer.meters.fork import freed_in_child

try:
    from prometheus_client.registry import DuplicateTimeseries
except ImportError:  # before 0.26 prometheus-client raises a plain ValueError, which has the names in its text alone

    class DuplicateTimeseries(ValueError):  # type: ignore[no-redef]  # noqa: N818
        """Two collectors of one name on one registry."""

        def __init__(self, duplicates: set[str]) -> None:
            self.duplicates = duplicates


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
    except ValueError as error:
        duplicates = _duplicates(error)
        if not duplicates:
            raise
        raise DuplicateMetricError(what, duplicates) from None


def _duplicates(error: ValueError) -> set[str]:
    """The names that are taken; none where the error is another."""
    if isinstance(error, DuplicateTimeseries):
        return error.duplicates
    before, _, names = str(error).partition("Duplicated timeseries in CollectorRegistry: ")
    return literal_eval(names) if names and not before else set()
