"""Building blocks of PromQL: selectors that are checked against the catalogue, and what is made of them."""

from collections.abc import Iterable

from manometer.catalogue import Kind, MetricSpec
from manometer.errors import MetricError

__all__ = [
    "FOREIGN",
    "TARGET",
    "WINDOW",
    "any_of",
    "both",
    "bound",
    "by",
    "either",
    "increase",
    "over",
    "rate",
    "ratio",
    "select",
    "share_over",
]

WINDOW = "5m"
"""What short rates look back; the recorded names carry it. At least four scrapes must fall into it."""

TARGET = ("job", "instance")
"""The labels that Prometheus puts on whatever it scrapes."""

FOREIGN = frozenset(
    {
        "ALERTS",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "up",
    }
)
"""Metrics that the rules and dashboards read and the catalogue does not hold: Prometheus's own and
those of prometheus-client's process collector."""

_OPERATORS = ("=~", "!~", "!=")


def select(metric: MetricSpec | str, suffix: str = "", **matchers: str) -> str:
    """A selector of a metric, of a recorded series or of a foreign one.

    suffix: which part of a histogram: `_bucket`, `_sum` or `_count`.
    matchers: a label's value, or the operator and the value: `result="hit"`, `stage="!~a|b"`.
    MetricError where the catalogue knows the metric and not the label, the value or the suffix.
    """
    if isinstance(metric, MetricSpec):
        _check(metric, suffix, matchers)
        name = metric.prometheus_name
    else:
        name = metric
    inside = ",".join(f"{label}{_matcher(value)}" for label, value in matchers.items())
    return f"{name}{suffix}{{{inside}}}" if inside else f"{name}{suffix}"


def rate(selector: str, window: str = WINDOW) -> str:
    """What a counter grows by a second."""
    return f"rate({selector}[{window}])"


def increase(selector: str, window: str = WINDOW) -> str:
    """What a counter grows by over the window."""
    return f"increase({selector}[{window}])"


def over(function: str, series: str, window: str) -> str:
    """A series' past in one value: `over("max", s, "1m")` is its greatest in the last minute."""
    return f"{function}_over_time({series}[{window}])"


def by(labels: Iterable[str], expr: str, operation: str = "sum") -> str:
    """An aggregation that keeps these labels."""
    return f"{operation} by ({', '.join(labels)}) ({expr})"


def both(*conditions: str) -> str:
    """What holds where each of the others does, a line each."""
    return "\nand ".join(conditions)


def either(*alternatives: str) -> str:
    """The first alternative that has a value, series by series, a line each."""
    return "\nor ".join(alternatives)


def ratio(part: str, whole: str) -> str:
    """The part's share of the whole: 0 where there is no part, nothing where there is no whole."""
    return f"({part} or 0 * {whole})\n/ ({whole} > 0)"


def any_of(names: Iterable[str]) -> str:
    """A matcher of these label values."""
    return "=~" + "|".join(name.replace(".", r"\\.") for name in names)


def bound(seconds: float) -> str:
    """A matcher of the bucket that ends there: Prometheus 3 reads whole numbers as `1.0`, 2 as they came."""
    return f"=~{seconds:g}|{seconds:g}.0" if seconds == int(seconds) else f"{seconds:g}"


def share_over(histogram: MetricSpec, seconds: float, labels: tuple[str, ...]) -> str:
    """Share of a histogram's events that took longer; nothing where there were none."""
    fast = by(labels, rate(select(histogram, "_bucket", le=bound(seconds))))
    every = by(labels, rate(select(histogram, "_count")))
    return f"1 - {fast}\n/ ({every} > 0)"


def _check(metric: MetricSpec, suffix: str, matchers: dict[str, str]) -> None:
    if (metric.kind is Kind.HISTOGRAM) != (suffix in ("_bucket", "_sum", "_count")):
        raise MetricError(f"{metric.prometheus_name!r} is a {metric.kind.value}; it has no series {suffix!r}")
    known = {*metric.labels, *TARGET, *(("le",) if suffix == "_bucket" else ())}
    for label, value in matchers.items():
        if label not in known:
            raise MetricError(f"{metric.prometheus_name!r} has no label {label!r}; it has {', '.join(sorted(known))}")
        values = metric.values.get(label)
        if values and value[:2] not in _OPERATORS and value not in values:
            raise MetricError(f"{metric.prometheus_name!r}: {label} is one of {', '.join(values)}, not {value!r}")


def _matcher(value: str) -> str:
    operator = value[:2] if value[:2] in _OPERATORS else "="
    return f'{operator}"{value.removeprefix(operator)}"'
