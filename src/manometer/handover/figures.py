"""What is handed over: the figures of the work, without those of a process and a host that nobody asks after then."""

from collections.abc import Iterable
from functools import cache

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from manometer.catalogue import SUBJECTS
from manometer.exposition.render import rendered
from manometer.registry.limits import Limits
from manometer.registry.timely import collect_in_time

__all__ = ["figures_of"]

_PASSING = ("runtime", "process", "host", "self_metrics")
"""Subjects that tell of the running program. Their series have no name of the job in them, too: those of two jobs in
one folder of node_exporter's would be the same series twice, and so would its own be."""


def figures_of(registry: CollectorRegistry, patience: float) -> bytes:
    """The figures of the registry's work as text, each collector given so many seconds. Raises IncompleteError."""
    left_out = _left_out()
    found = collect_in_time(registry, limits=Limits(patience))
    return rendered(registry, [family for family in found if family.name not in left_out])[0]


@cache
def _left_out() -> frozenset[str]:
    ours = {row.family_name for subject in _PASSING for row in SUBJECTS[subject]}
    return frozenset(ours.union(_of_prometheus_client()))


def _of_prometheus_client() -> Iterable[str]:
    """What prometheus-client measures of a process unasked."""
    apart = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=apart)
    return (family.name for family in apart.collect())
