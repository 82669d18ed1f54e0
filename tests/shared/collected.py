"""A guarded collection in prometheus-client's form: what tests look at samples by."""

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Metric

from manometer.registry.collection import as_metric
from manometer.registry.collection import collect as collect_families

__all__ = ["collect"]


def collect(registry: CollectorRegistry, names: Collection[str] = ()) -> list[Metric]:
    """Every family of the registry, or the samples of these names, as `manometer.registry.collection` has them."""
    families = [as_metric(found) for found in collect_families(registry, names)]
    if not names:
        return families
    for family in families:
        family.samples = [sample for sample in family.samples if sample.name in names]
    return [family for family in families if family.samples]
