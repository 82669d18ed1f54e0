"""One guarded reading of a registry: what `/metrics`, OTLP, `top`, health and tests all go by."""

import logging
from collections import Counter as Tally
from collections.abc import Collection
from time import perf_counter

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.meters.kit import Kit

__all__ = ["collect"]

_log = logging.getLogger("manometer")


def collect(registry: CollectorRegistry, names: Collection[str] = ()) -> list[Metric]:
    """Read every collector of the registry once; one that raises loses only its own families.

    names: where given, only samples of these names, as Prometheus's `name[]` parameter asks.
    A failure is counted in `manometer_collect_failures_total`, and logged when it is the collector's first in a row.
    """
    families: list[Metric] = []
    failing: set[str] = set()
    durations: Tally[str] = Tally()
    series: Tally[str] = Tally()
    if registry.get_target_info():
        families.append(registry._target_info_metric())  # type: ignore[no-untyped-call]
    for collector in _collectors(registry, names):
        name = getattr(collector, "collector_name", type(collector).__qualname__)
        started = perf_counter()
        try:
            found = list(collector.collect())
        except Exception:
            if name not in Kit.of(registry).failing:
                _log.exception("collector %r raised; its series are missing until it no longer does", collector)
            failing.add(name)
            Kit.of(registry).failed(name)
            continue
        durations[name] += perf_counter() - started  # type: ignore[assignment]
        for family in found:
            series[family.name] += len(family.samples)
        families += found
    kit = Kit.existing(registry)
    if kit is not None:
        kit.collected(durations, series)
        kit.failing = failing if not names else kit.failing | failing
        families += kit.collect()
    return [kept for family in families if (kept := _restricted(family, names))] if names else families


def _collectors(registry: CollectorRegistry, names: Collection[str]) -> list[Collector]:
    """The registry's collectors in order, less the kit itself, which is read last."""
    # prometheus-client has no public way to walk a registry but `collect`, which has no guard.
    with registry._lock:
        by_name = dict(registry._names_to_collectors)
        collectors = list(registry._collector_to_names)
    if names:
        wanted = {id(by_name[name]) for name in names if name in by_name}
        collectors = [each for each in collectors if id(each) in wanted or each in registry._collectors_without_names]
    return [each for each in collectors if not isinstance(each, Kit)]


def _restricted(family: Metric, names: Collection[str]) -> Metric | None:
    kept = Metric(family.name, family.documentation, family.type, family.unit)
    kept.samples = [sample for sample in family.samples if sample.name in names]
    return kept if kept.samples else None
