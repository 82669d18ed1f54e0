"""The rules of metric and label names, and the cap on a family's series."""

import re
from collections.abc import Iterable, Mapping
from itertools import chain

from prometheus_client.validation import get_legacy_validation

from manometer.errors import MetricError

__all__ = [
    "LONGEST_VALUE",
    "OTHER",
    "SERIES_CAP",
    "check_exemplar",
    "check_label_names",
    "check_name",
    "check_values",
    "full_name",
]

OTHER = "other"
"""The value of every label of the series that takes what comes past the cap."""

SERIES_CAP = 2_000
"""Series a family may have before new label values fold into `other`."""

LONGEST_VALUE = 2_048
"""Characters that a label value may have; a longer one is counted as `other`. It is Grafana Mimir's own limit."""

# Prometheus's classic alphabet. Names go beyond it unless prometheus-client's own switch says otherwise.
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SWITCH = "; prometheus-client's legacy name validation is on, which allows no others"
_EXEMPLAR_CHARACTERS = 128  # OpenMetrics 1.0, "Exemplars"


def full_name(kind: str, name: str, namespace: str, subsystem: str, unit: str) -> str:
    """Join the parts of a name as prometheus-client does; a counter's `_total` is left off."""
    if not name:
        raise MetricError("Metric name should not be empty")
    whole = "_".join(part for part in (namespace, subsystem, name) if part)
    if kind == "counter":
        whole = whole.removesuffix("_total")
    return whole if not unit or whole.endswith("_" + unit) else f"{whole}_{unit}"


def check_name(name: str) -> str:
    """Return the metric name, or raise MetricError where Prometheus does not allow it."""
    if get_legacy_validation():
        if not _METRIC_NAME.fullmatch(name):
            allowed = "use letters, digits, '_' and ':', and start with no digit"
            raise MetricError(f"invalid metric name {name!r}: {allowed}{_SWITCH}")
    elif not name or not _is_text(name):
        raise MetricError(f"invalid metric name {name!r}: use any text that UTF-8 can write, but no empty one")
    return name


def check_label_names(family: str, names: Iterable[str], reserved: frozenset[str]) -> tuple[str, ...]:
    """Return the label names as a tuple, or raise MetricError naming the one that is not allowed."""
    if isinstance(names, str) and len(names) > 1:  # one of a single letter is its own sequence
        raise MetricError(f"metric {family!r}: label names are a sequence; write [{names!r}], not {names!r}")
    labels = tuple(names)
    for label in labels:
        problem = _problem(label)
        if problem is not None:
            raise MetricError(f"metric {family!r}: invalid label name {label!r}: {problem}")
        if label in reserved:
            raise MetricError(f"metric {family!r}: label name {label!r} is reserved for this kind of metric")
    if len(set(labels)) != len(labels):
        raise MetricError(f"metric {family!r}: label names {labels!r} repeat one")
    return labels


def _problem(label: object) -> str | None:
    """What is wrong with a label name."""
    if not isinstance(label, str) or not label or not _is_text(label):
        return "use any text that UTF-8 can write, but no empty one"
    if get_legacy_validation() and not _LABEL_NAME.fullmatch(label):
        return f"use letters, digits and '_', and start with no digit{_SWITCH}"
    return "do not start with '__', which Prometheus keeps for itself" if label.startswith("__") else None


def _is_text(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_values(family: str, values: Iterable[str]) -> None:
    """Raise MetricError where a label value cannot be written as UTF-8: it would cost the whole family's scrape."""
    for value in values:
        if not _is_text(value):
            raise MetricError(f"metric {family!r}: label value {value!r} is no text that UTF-8 can write")


def check_exemplar(exemplar: Mapping[str, str]) -> None:
    """Raise MetricError where OpenMetrics does not allow these labels on an exemplar."""
    check_label_names("exemplar", exemplar, frozenset())
    size = sum(map(len, chain.from_iterable(exemplar.items())))
    if size > _EXEMPLAR_CHARACTERS:
        raise MetricError(f"exemplar labels have {size} characters; OpenMetrics allows {_EXEMPLAR_CHARACTERS}")
    check_values("exemplar", exemplar.values())
