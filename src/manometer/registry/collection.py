"""One guarded reading of a registry: what `/metrics`, OTLP, `top`, health and tests all go by."""

from collections import Counter as Tally
from collections.abc import Collection
from time import perf_counter

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.errors import IncompleteError
from manometer.meters.family import Family
from manometer.meters.fork import freed_in_child, notice
from manometer.meters.metric_view import MetricView, number_of_samples
from manometer.prometheus_internals import (
    collectors_by_name,
    collectors_of,
    collectors_without_names,
    lock_of,
    target_info_of,
)
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Collected", "as_metric", "collect"]

Collected = Family | Metric
"""A family, or what a collector of another kit told: that one stays as it is, down to its timestamps."""


def collect(registry: CollectorRegistry, names: Collection[str] = ()) -> list[Collected]:
    """Read every collector of the registry once; one that raises loses only its own families.

    names: where given, only collectors that have samples of these names are read, and all that these tell is given.
    A failure is counted in `manometer_collect_failures_total`, and logged when it begins and when it ends.
    Raises IncompleteError where a collector does: what it has must not be shown in part.
    """
    notice()
    families: list[Collected] = []
    failed: set[str] = set()
    durations: Tally[str] = Tally()
    series: Tally[str] = Tally()
    if registry.get_target_info():
        families.append(target_info_of(registry))
    for collector in _collectors(registry, names):
        name = type(collector).__qualname__
        started = perf_counter()
        try:
            name = str(getattr(collector, "collector_name", name))
            found = [_as_read(metric) for metric in collector.collect()]
            took = perf_counter() - started
            sizes = [(str(family.name), _size(family)) for family in found]
            families += found
        except IncompleteError:
            raise
        except Exception:
            SelfMetrics.of(registry).failed(name, "collector")
            failed.add(name)
            continue
        durations[name] += took  # type: ignore[assignment]
        for family_name, size in sizes:
            series[family_name] += size
    self_metrics = SelfMetrics.existing(registry)
    if self_metrics is not None:
        for name in durations.keys() - failed:
            self_metrics.worked(name, "collector")
        # Of a part of the registry there are no costs to tell: those of the last whole reading stand.
        if names:
            families += map(_as_read, self_metrics.collect())
        else:
            families += self_metrics.collected(durations, series)
    return families


def _collectors(registry: CollectorRegistry, names: Collection[str]) -> list[Collector]:
    """The registry's collectors in order, less the kit itself, which is read last."""
    # prometheus-client has no public way to walk a registry but `collect`, which has no guard.
    with freed_in_child(lock_of(registry)):
        by_name = collectors_by_name(registry)
        collectors = collectors_of(registry)
    if names:
        nameless = collectors_without_names(registry)
        wanted = {*(id(by_name[name]) for name in names if name in by_name), *map(id, nameless)}
        collectors = [each for each in collectors if id(each) in wanted or getattr(each, "tells_any_name", False)]
    return [each for each in collectors if not isinstance(each, SelfMetrics)]


def as_metric(found: Collected) -> Metric:
    """What was collected in prometheus-client's form."""
    return MetricView(found) if isinstance(found, Family) else found


def _as_read(metric: Metric) -> Collected:
    family = metric.family if isinstance(metric, MetricView) else None
    return metric if family is None else family


def _size(found: Collected) -> int:
    return number_of_samples(found) if isinstance(found, Family) else len(found.samples)
