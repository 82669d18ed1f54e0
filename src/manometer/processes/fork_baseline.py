"""What counters of prometheus-client bring along over a fork: it is the parent's, and would be counted twice."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, Summary
from prometheus_client.metrics import MetricWrapperBase

from manometer.meters.family import Family, Group, Series
from manometer.processes.merge_modes import in_own_files, merge_mode
from manometer.processes.snapshot import shared
from manometer.prometheus_internals import children_of, collectors_of, label_names_of, locks_within, samples_of_child
from manometer.registry.foreign import figures

__all__ = ["counts_at_fork"]


def counts_at_fork(registry: CollectorRegistry, now: float) -> list[Family]:
    """The families of its meters that add up, and of its GCCollector, in a child that was forked just now.

    Ours begin at zero in there. Another kit's collector may do anything when it is read, and so is not; nor is a
    gauge, which may call a function of the program's, to wait for a lock that nobody is there to give back.
    """
    families: list[Family] = []
    for collector in collectors_of(registry):
        if isinstance(collector, MetricWrapperBase):
            _free(collector)
        if isinstance(collector, Counter | Histogram | Summary):
            families += _of_meter(collector, registry)
        elif isinstance(collector, GCCollector):
            families += [
                shared(metric, merge_mode(registry, metric.name, metric.type), now) for metric in collector.collect()
            ]
    return families


def _free(meter: Any) -> None:
    """Free its locks: whichever thread of the parent held one is not there to give it back."""
    for lock in locks_within(meter):
        if hasattr(lock, "_at_fork_reinit"):
            lock._at_fork_reinit()


def _of_meter(meter: Any, registry: CollectorRegistry) -> Iterator[Family]:
    """Its family, if it has any series. The fork waits for this, and so no sample is given its names."""
    every = children_of(meter)
    (described,) = meter.describe()
    if not every or in_own_files(registry, described.name):
        return
    name, kind = described.name, described.type
    told: list[Series] = []
    head = Group(label_names_of(meter), told, merge_mode=merge_mode(registry, name, kind))
    for values, series in every.items():
        (figure,) = figures(kind, [(sample.name, sample) for sample in samples_of_child(series)])
        told.append((values, figure.reading))
        head = head._replace(bounds=figure.bounds)
    yield Family(name, kind, described.documentation, described.unit, [head])
