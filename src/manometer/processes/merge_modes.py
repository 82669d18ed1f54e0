"""How each family of several processes becomes one: by the catalogue, by the gauge's own word, or by its kind."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, values
from prometheus_client.metrics import MetricWrapperBase

from manometer.catalogue import SUBJECTS, spec

__all__ = ["by_itself", "in_own_files", "merge_mode"]


_BY_KIND = {
    "counter": "sum",
    "histogram": "sum",
    "summary": "sum",
    "gaugehistogram": "livesum",
    "info": "livemax",
}
_EACH = "liveall"  # what is of one process alone, or of no known meaning: never wrong


def merge_mode(registry: CollectorRegistry, name: str, kind: str) -> str:
    """The mode of one of the registry's families: one of prometheus-client's multiprocess modes."""
    with suppress(KeyError):
        return spec(f"{name}_total" if kind == "counter" else name).multiprocess_mode
    mode = getattr(registry._names_to_collectors.get(name), "_multiprocess_mode", None)
    if isinstance(mode, str):
        return mode
    if name.startswith("process_"):  # prometheus-client's ProcessCollector, whose names every client shares
        return _EACH
    if name == "python_info":
        return "livemax"
    return _BY_KIND.get(kind, _EACH)


def by_itself(family_name: str) -> bool:
    """Whether the family grows in a process that runs and does nothing else."""
    return family_name in _OF_RUNNING or family_name.startswith(("process_", "python_"))


_OF_RUNNING = frozenset(
    row.family_name for subject in ("runtime", "host", "health", "self_metrics") for row in SUBJECTS[subject]
)


def in_own_files(registry: CollectorRegistry, name: str) -> bool:
    """Whether prometheus-client keeps the family in files of its own, for its own multiprocess mode."""
    collector = registry._names_to_collectors.get(name)
    return isinstance(collector, MetricWrapperBase) and values.ValueClass._multiprocess
