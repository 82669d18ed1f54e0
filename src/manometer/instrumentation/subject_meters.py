"""The metrics that a subject has in the catalogue, and the meters in which its events are counted."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from threading import RLock
from typing import Any, TypeVar

from manometer.catalogue import SUBJECTS, MetricSpec
from manometer.errors import BindingError
from manometer.meters import Meter
from manometer.meters.family import Family, Series, Values
from manometer.meters.fork import freed_in_child
from manometer.meters.labels import SERIES_CAP
from manometer.registry.catalogued import family, meter
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["SubjectMeters"]

M = TypeVar("M", bound=Meter[Any])


class SubjectMeters:
    """A meter for each metric of the subject that somebody pushes; made when the first does."""

    def __init__(self, subject: str, self_metrics: SelfMetrics) -> None:
        self.subject = subject
        self.rows = {row.name: row for row in SUBJECTS[subject]}
        self.lock = freed_in_child(RLock())
        """Held while meters, series or ties of the subject come or go."""
        self._self_metrics = self_metrics
        self._meters: dict[str, Meter[Any]] = {}

    def of(self, name: str, kind: type[M], attributes: Mapping[str, str]) -> tuple[M, Values]:
        """The meter of that metric, and the label values of the series that has these attributes.

        Raises BindingError where the subject has no such metric of that kind, attribute or value.
        """
        row = self._row(name, attributes)
        with self.lock:
            if name not in self._meters:
                self._meters[name] = meter(row, kind, max_series=_room(row))
                self._meters[name].joins(self._self_metrics)
            found = self._meters[name]
        if not isinstance(found, kind):
            raise BindingError(f"{name!r} is a {found.kind}, not a {kind.kind}; call binding.{found.kind} for it")
        return found, tuple([attributes[attribute] for attribute in row.attributes])

    def families(self, pulled: Mapping[str, Sequence[Series]]) -> Iterator[Family]:
        """The families that have series. pulled: series that were not pushed, by the name of their metric."""
        with self.lock:
            meters = dict(self._meters)
        for row in self.rows.values():
            told = pulled.get(row.name, [])
            found = meters[row.name].family(told) if row.name in meters else family(row, told)
            if any(group.series or group.ended for group in found.groups):
                yield found

    def _row(self, name: str, attributes: Mapping[str, str]) -> MetricSpec:
        row = self.rows.get(name)
        if row is None:
            raise BindingError(f"{name!r} is no metric of a {self.subject}; it has {', '.join(self.rows)}")
        if set(attributes) != set(row.attributes):
            raise BindingError(f"{name!r} has the attributes {row.attributes}, not {tuple(attributes)}")
        for attribute, values in row.values.items():
            if attributes[attribute] not in values:
                raise BindingError(
                    f"{name!r}: {attribute} is one of {', '.join(values)}, not {attributes[attribute]!r}"
                )
        return row


def _room(row: MetricSpec) -> int:
    """The cap of a family in which each object under the subject's cap, and `other`, has all its series."""
    return (SERIES_CAP + 1) * prod(len(values) for values in row.values.values())
