"""One guarded reading of a registry: what `/metrics`, OTLP, `top`, health and tests all go by."""

from collections import Counter as Tally
from collections.abc import Collection, Iterable
from time import perf_counter

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.errors import IncompleteError
from manometer.meters.family import Family
from manometer.meters.fork import freed_in_child, notice
from manometer.prometheus_internals import (
    collectors_by_name,
    collectors_of,
    collectors_without_names,
    lock_of,
    target_info_of,
)
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["collect"]


def collect(registry: CollectorRegistry, names: Collection[str] = ()) -> list[Metric]:
    """Read every collector of the registry once; one that raises loses only its own families.

    names: where given, only samples of these names, as Prometheus's `name[]` parameter asks.
    A failure is counted in `manometer_collect_failures_total`, and logged when it begins and when it ends.
    Raises IncompleteError where a collector does: what it has must not be shown in part.
    """
    notice()
    families: list[Metric] = []
    failed: set[str] = set()
    durations: Tally[str] = Tally()
    series: Tally[str] = Tally()
    if registry.get_target_info():
        families += _restricted([target_info_of(registry)], names)
    for collector in _collectors(registry, names):
        name = type(collector).__qualname__
        started = perf_counter()
        try:
            name = str(getattr(collector, "collector_name", name))
            found = list(collector.collect())
            took = perf_counter() - started
            sizes = [(str(family.name), _size(family)) for family in found]
            families += _restricted(found, names)
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
        families += _restricted(self_metrics.collect(), names) if names else self_metrics.collected(durations, series)
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
        collectors = [each for each in collectors if id(each) in wanted]
    return [each for each in collectors if not isinstance(each, SelfMetrics)]


def _size(family: Metric) -> int:
    return family.size if isinstance(family, Family) else len(family.samples)


def _restricted(families: Iterable[Metric], names: Collection[str]) -> Iterable[Metric]:
    """The families as they are, or where there are names, what of them has one."""
    if not names:
        return families
    restricted = []
    for family in families:
        kept = Metric(family.name, family.documentation, family.type)  # without a unit, as prometheus-client has it
        kept.samples = [sample for sample in family.samples if sample.name in names]
        restricted.append(kept)
    return [each for each in restricted if each.samples]
