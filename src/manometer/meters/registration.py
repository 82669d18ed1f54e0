"""Putting a collector on a registry, with an answer that helps where its names are taken."""

from ast import literal_eval
from collections.abc import Callable
from typing import Protocol
from weakref import WeakMethod, ref

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from manometer.errors import MetricError
from manometer.meters.fork import freed_in_child, notice
from manometer.prometheus_internals import lock_of

try:
    from prometheus_client.registry import DuplicateTimeseries
except ImportError:  # before 0.26 prometheus-client raises a plain ValueError, which has the names in its text alone

    class DuplicateTimeseries(ValueError):  # type: ignore[no-redef]  # noqa: N818 - the name is theirs
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


Joins = Callable[[Companion], None]


class DuplicateMetricError(MetricError, DuplicateTimeseries):
    """Two metrics of one name on one registry; prometheus-client's error too, for code that catches that."""

    def __init__(self, what: str, duplicates: set[str]) -> None:
        DuplicateTimeseries.__init__(self, duplicates)
        self.args = (
            f"{what} cannot be registered: the registry has {', '.join(sorted(duplicates))} already; "
            "give one of the two another name, or use the metric that is there",
        )


def accompanied_by(make: Callable[[CollectorRegistry], Companion]) -> None:
    """Have `make(registry)` find or make the companion of a registry.

    A program that has imported the meters alone may have registered some before. These join their companions now.
    """
    _makers.append(make)
    _let_those_join_that_wait()


def register(registry: CollectorRegistry, collector: Collector, what: str, joins: Joins | None = None) -> None:
    """Register the collector, and beside it a companion where the registry has none.

    what: how to name the collector in the error that is raised where its names are taken. joins: a method of the
    collector that is called with the companion, as soon as there is what makes companions.
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
    if _makers:
        _accompany(registry, joins)
        return
    _waiting.append((ref(registry), None if joins is None else WeakMethod(joins)))
    if _makers:  # another thread has imported what makes them, and may have looked before
        _let_those_join_that_wait()


def _let_those_join_that_wait() -> None:
    while _waiting:
        found, joins = _waiting.pop(0)
        registry = found()
        if registry is not None:
            _accompany(registry, None if joins is None else joins())


def _accompany(registry: CollectorRegistry, joins: Joins | None) -> None:
    companion = _makers[0](registry)
    if joins is not None:
        joins(companion)


def _duplicates(error: ValueError) -> set[str]:
    """The names that are taken; none where the error is another."""
    if isinstance(error, DuplicateTimeseries):
        return error.duplicates
    before, _, names = str(error).partition("Duplicated timeseries in CollectorRegistry: ")
    return literal_eval(names) if names and not before else set()


_makers: list[Callable[[CollectorRegistry], Companion]] = []
_waiting: list[tuple["ref[CollectorRegistry]", "WeakMethod[Joins] | None"]] = []
