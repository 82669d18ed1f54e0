"""What counters of prometheus-client bring along over a fork: it is the parent's, and would be counted twice."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector
from prometheus_client.metrics import MetricWrapperBase

from manometer.exporter.multiprocess.snapshot import Family, family
from manometer.exporter.multiprocess.ways import in_own_files, way

__all__ = ["inherited"]


def inherited(registry: CollectorRegistry, now: float) -> list[Family]:
    """The families of its meters and of its GCCollector, in a child that was forked just now.

    Ours begin at zero in there. Another kit's collector may do anything when it is read, and so is not.
    """
    return [
        family(metric, way(registry, metric), now)
        for collector in list(registry._collector_to_names)
        if isinstance(collector, MetricWrapperBase | GCCollector)
        for metric in _freed(collector).collect()
        if not in_own_files(registry, metric)
    ]


def _freed(collector: Any) -> Any:
    """The collector, with its locks free: whichever thread of the parent held one is not there to give it back."""
    for series in (collector, *getattr(collector, "_metrics", {}).values()):
        for part in (series, *_flat(vars(series).values())):
            lock: Any = getattr(part, "_lock", None)
            if hasattr(lock, "_at_fork_reinit"):
                lock._at_fork_reinit()
    return collector


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list) else (value,)
