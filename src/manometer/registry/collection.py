"""One guarded reading of a registry: what `/metrics`, OTLP, `top`, health and tests all go by."""

from collections import Counter as Tally
from collections.abc import Collection, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from manometer.errors import IncompleteError
from manometer.meters.family import Family
from manometer.meters.fork import freed_in_child, notice
from manometer.meters.meter import Meter
from manometer.meters.metric_view import MetricView, number_of_samples
from manometer.prometheus_internals import (
    collectors_by_name,
    collectors_of,
    collectors_without_names,
    lock_of,
    name_of_meter,
    target_info_of,
)
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["COLLECTOR", "Collected", "Told", "as_metric", "collect", "name_of", "read", "to_read", "together"]

_METRICS = Meter, MetricWrapperBase
COLLECTOR = "collector"
"""What is said to have failed, where one does."""

Collected = Family | Metric
"""A family, or what a collector of another kit told: that one stays as it is, down to its timestamps."""


class Told(NamedTuple):
    """What a collector told: None where it failed.

    name: what a failure of it is told by; sizes: the samples of each family; seconds: how long it took; cost: what
    these seconds are told by.
    """

    name: str
    families: list[Collected] | None
    sizes: Sequence[tuple[str, int]] = ()
    seconds: float = 0.0
    cost: str = ""


def collect(registry: CollectorRegistry, names: Collection[str] = ()) -> list[Collected]:
    """Read every collector of the registry once; one that raises loses only its own families.

    names: where given, only collectors that have samples of these names are read, and all that these tell is given.
    A failure is counted in `manometer_collect_failures_total`, and logged when it begins and when it ends.
    Raises IncompleteError where a collector does: what it has must not be shown in part.
    """
    notice()
    return together(registry, names, [read(registry, each) for each in to_read(registry, names)])


def to_read(registry: CollectorRegistry, names: Collection[str]) -> list[Collector]:
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


def name_of(collector: Collector) -> str:
    """What a failure of the collector is told by: the name that it gives itself, a metric's own, else its class."""
    return _names_of(collector)[0]


def _names_of(collector: Collector) -> tuple[str, str]:
    """What a failure of it is told by, and what its time is: a series for each metric would be too many of those."""
    kind = type(collector).__qualname__
    try:
        given = getattr(collector, "collector_name", None)
        if given is not None:
            return str(given), str(given)
        return str(name_of_meter(collector)) if isinstance(collector, _METRICS) else kind, kind
    except Exception:  # these attributes may be the program's, and fail
        return kind, kind


def read(registry: CollectorRegistry, collector: Collector) -> Told:
    """Read one collector. A failure is counted and logged.

    Raises IncompleteError where the collector does, and where one fails that tells of everything.
    """
    name, cost = _names_of(collector)
    started = perf_counter()
    try:
        found = [_as_read(metric) for metric in collector.collect()]
        took = perf_counter() - started
        sizes = [(str(family.name), _size(family)) for family in found]
    except IncompleteError:
        raise
    except Exception:
        SelfMetrics.of(registry).failed(name, COLLECTOR)
        if getattr(collector, "tells_all", False):
            raise IncompleteError(f"the figures of {name} could not be read; the log says why") from None
        return Told(name, None)
    return Told(name, found, sizes, took, cost)


def together(registry: CollectorRegistry, names: Collection[str], told: Iterable[Told]) -> list[Collected]:
    """What the collectors told, in that order, with the registry's target before it and the kit's own behind it."""
    families: list[Collected] = []
    failed: set[str] = set()
    worked: set[str] = set()
    durations: Tally[str] = Tally()
    series: Tally[str] = Tally()
    if registry.get_target_info():
        families.append(target_info_of(registry))
    for each in told:
        if each.families is None:
            failed.add(each.name)
            continue
        families += each.families
        worked.add(each.name)
        durations[each.cost] += each.seconds  # type: ignore[assignment]
        for family_name, size in each.sizes:
            series[family_name] += size
    self_metrics = SelfMetrics.existing(registry)
    if self_metrics is not None:
        if self_metrics.has_failures:
            for name in worked - failed:
                self_metrics.worked(name, COLLECTOR)
            self_metrics.remain([name_of(each) for each in to_read(registry, ())], COLLECTOR)
        # Of a part of the registry there are no costs to tell: those of the last whole reading stand.
        if names:
            families += map(_as_read, self_metrics.collect())
        else:
            families += self_metrics.collected(durations, series, [name for name in durations if name in worked])
    return families


def as_metric(found: Collected) -> Metric:
    """What was collected in prometheus-client's form."""
    return MetricView(found) if isinstance(found, Family) else found


def _as_read(metric: Metric) -> Collected:
    family = metric.family if isinstance(metric, MetricView) else None
    return metric if family is None else family


def _size(found: Collected) -> int:
    return number_of_samples(found) if isinstance(found, Family) else len(found.samples)
