"""How each family of several processes becomes one: by the catalogue, by the gauge's own word, or by its kind."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics import MetricWrapperBase

from manometer.catalogue import SUBJECTS, spec
from manometer.prometheus_internals import collector_named, writes_own_files

__all__ = ["MergeMode", "by_itself", "in_own_files", "way"]


class MergeMode(NamedTuple):
    """How the values of a family become one.

    mode: one of prometheus-client's multiprocess modes; set_at: when the series of some labels was last set;
    is_written: whether the program writes the value of that series, which else comes from an object.
    """

    mode: str
    set_at: Callable[[Mapping[str, str]], float] | None = None
    is_written: Callable[[Mapping[str, str]], bool] | None = None


_BY_KIND = {
    "counter": "sum",
    "histogram": "sum",
    "summary": "sum",
    "gaugehistogram": "livesum",
    "info": "livemax",
}
_EACH = "liveall"  # what is of one process alone, or of no known meaning: never wrong


def way(registry: CollectorRegistry, family: Metric) -> MergeMode:
    """The way of one of the registry's families."""
    with suppress(KeyError):
        return MergeMode(spec(f"{family.name}_total" if family.type == "counter" else family.name).multiprocess_mode)
    collector = collector_named(registry, family.name)
    mode = getattr(collector, "_multiprocess_mode", None)
    if isinstance(mode, str):
        return MergeMode(mode, getattr(collector, "set_at", None), getattr(collector, "is_written", None))
    if family.name.startswith("process_"):  # prometheus-client's ProcessCollector
        return MergeMode(_EACH)
    if family.name == "python_info":
        return MergeMode("livemax")
    return MergeMode(_BY_KIND.get(family.type, _EACH))


def by_itself(family_name: str) -> bool:
    """Whether the family grows in a process that runs and does nothing else."""
    return family_name in _OF_RUNNING or family_name.startswith(("process_", "python_"))


_OF_RUNNING = frozenset(
    row.family_name
    for subject in ("runtime", "process", "host", "health", "self_metrics")
    for row in SUBJECTS[subject]
)


def in_own_files(registry: CollectorRegistry, family: Metric) -> bool:
    """Whether prometheus-client keeps the family in files of its own, for its own multiprocess mode."""
    collector = collector_named(registry, family.name)
    return isinstance(collector, MetricWrapperBase) and writes_own_files()
