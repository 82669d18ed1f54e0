"""Every private name of prometheus-client that Manometer uses, each in one place.

Any release of prometheus-client may change them. pyproject.toml therefore bounds its version, and
tests/test_prometheus_internals.py names the function in here that a new release breaks.
"""

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import Any

from prometheus_client import CollectorRegistry, Metric, metrics, values
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from prometheus_client.validation import _is_valid_legacy_metric_name

__all__ = [
    "children_of",
    "collector_named",
    "collectors_by_name",
    "collectors_of",
    "collectors_without_names",
    "escaped_sample_name",
    "is_classic_name",
    "label_names_of",
    "lock_of",
    "locks_within",
    "name_of_meter",
    "samples_of_child",
    "shows_creation_times",
    "target_info_of",
    "writes_own_files",
]


def lock_of(registry: CollectorRegistry) -> Lock:
    """The lock that the registry holds while it registers a collector or lists its collectors."""
    return registry._lock


def collectors_of(registry: CollectorRegistry) -> list[Collector]:
    """The registry's collectors, in the order in which they were registered."""
    return list(registry._collector_to_names)


def collectors_by_name(registry: CollectorRegistry) -> dict[str, Collector]:
    """The registry's collectors by each name that they registered."""
    return dict(registry._names_to_collectors)


def collector_named(registry: CollectorRegistry, name: str) -> Collector | None:
    """The collector that registered this name, if any did."""
    return registry._names_to_collectors.get(name)


def collectors_without_names(registry: CollectorRegistry) -> Iterable[Collector]:
    """The collectors that registered no name, which prometheus-client tells since 0.25."""
    return getattr(registry, "_collectors_without_names", ())


def target_info_of(registry: CollectorRegistry) -> Metric:
    """The `target_info` family of a registry that has one."""
    found: Metric = registry._target_info_metric()  # type: ignore[no-untyped-call]
    return found


def name_of_meter(meter: Any) -> str:
    """The name of the family of one of prometheus-client's meters, or of one of Manometer's, which have it too."""
    name: str = meter._name
    return name


def label_names_of(meter: Any) -> tuple[str, ...]:
    """The label names of one of prometheus-client's meters."""
    names: tuple[str, ...] = meter._labelnames
    return names


def children_of(meter: Any) -> Mapping[tuple[str, ...], Any]:
    """The series of one of prometheus-client's meters by their label values; one without labels is its own series."""
    children: Mapping[tuple[str, ...], Any] = meter._metrics if meter._labelnames else {(): meter}
    return children


def samples_of_child(series: Any) -> Iterable[Sample]:
    """The samples of one series of prometheus-client's meters, in the order of its family's collection."""
    samples: Iterable[Sample] = series._child_samples()
    return samples


def locks_within(meter: Any) -> Iterator[Any]:
    """Every lock that one of prometheus-client's meters, its children and their values hold."""
    for series in (meter, *getattr(meter, "_metrics", {}).values()):
        for part in (series, *_flat(vars(series).values())):
            lock = getattr(part, "_lock", None)
            if lock is not None:
                yield lock


def _flat(found: Iterable[Any]) -> Iterator[Any]:
    for each in found:
        yield from each if isinstance(each, list) else (each,)


def shows_creation_times() -> bool:
    """Whether `_created` samples are shown, which prometheus-client's own switch turns off."""
    return metrics._use_created


def writes_own_files() -> bool:
    """Whether prometheus-client keeps values in files, for its own multiprocess mode."""
    found: bool = values.ValueClass._multiprocess
    return found


def is_classic_name(name: str) -> bool:
    """Whether the metric name keeps to the alphabet that Prometheus had before UTF-8 names."""
    return _is_valid_legacy_metric_name(name)


def escaped_sample_name(name: str, escaping: str) -> str:
    """A sample's name in OpenMetrics, by the escaping scheme that the scraper asked for."""
    return openmetrics._escape(name, escaping, openmetrics._is_legacy_labelname_rune)
