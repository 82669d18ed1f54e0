"""Putting a collector on a registry, with an answer that helps where its names are taken."""

from ast import literal_eval
from collections.abc import Callable
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from manometer.errors import MetricError
from manometer.meters.fork import freed_in_child, notice
from manometer.prometheus_internals import lock_of

try:
    from prometheus_client.registry import DuplicateTimeseries
except ImportError:  # before 0.26 prometheus-client raises a plain ValueError, which has the names in its text alone

    class DuplicateTimeseries(ValueError):  # type: ignore[no-redef]  # noqa: N818 - the name is theirs  # noqa: N818
        """Two collectors of one name on one registry."""

        def __init__(self, duplicates: set[str]) -> None:
            self.duplicates = duplicates


__all__ = ["Companion", "DuplicateMetricError", "accompanied_by", "register"]


class Companion(Protocol):
    """What stands beside the collectors of a registry, and hears of them."""

    keeps_ended: bool
    """Whether what removed series had come to is kept, for the sums of several processes."""

    def folded(self, family_name: str) -> None:
        """A new series of that family went to `other`."""


class DuplicateMetricError(MetricError, DuplicateTimeseries):
    """Two metrics of one name on one registry; prometheus-client's error too, for code that catches that."""

    def __init__(self, what: str, duplicates: set[str]) -> None:
        DuplicateTimeseries.__init__(self, duplicates)
        self.args = (
            f"{what} cannot be registered: the registry has {', '.join(sorted(duplicates))} already; "
            "give one of the two another name, or use the metric that is there",
        )


def accompanied_by(make: Callable[[CollectorRegistry], Companion]) -> None:
    """Have `make(registry)` find or make the companion of a registry."""
    _makers.append(make)


def register(registry: CollectorRegistry, collector: Collector, what: str) -> Companion:
    """Register the collector, and beside it a companion where the registry has none; return the companion.

    what: how to name the collector in the error that is raised where its names are taken.
    """
    notice()
    freed_in_child(lock_of(registry))
    try:
        registry.register(collector)
    except ValueError as error:
        duplicates = _duplicates(error)
        if not duplicates:
            raise
        raise DuplicateMetricError(what, duplicates) from None
    (make,) = _makers
    return make(registry)


def _duplicates(error: ValueError) -> set[str]:
    """The names that are taken; none where the error is another."""
    if isinstance(error, DuplicateTimeseries):
        return error.duplicates
    before, _, names = str(error).partition("Duplicated timeseries in CollectorRegistry: ")
    return literal_eval(names) if names and not before else set()


_makers: list[Callable[[CollectorRegistry], Companion]] = []
