"""Building blocks of PromQL: selectors that are checked against the catalogue, and what is made of them."""

from collections.abc import Iterable, Mapping

from manometer.catalogue import Kind, MetricSpec, label
from manometer.catalogue.spec import Across
from manometer.errors import MetricError

__all__ = [
    "FOREIGN",
    "PROCESS",
    "TARGET",
    "WINDOW",
    "any_of",
    "both",
    "bound",
    "by",
    "either",
    "increase",
    "lately",
    "matcher",
    "none_of",
    "over",
    "rate",
    "ratio",
    "recorded",
    "saturation",
    "select",
    "staying_over",
    "unless_gone",
]

WINDOW = "5m"
"""What short rates look back; the recorded names carry it. At least four scrapes must fall into it."""

TARGET = ("job", "instance")
"""The labels that Prometheus puts on whatever it scrapes."""

PROCESS = "pid"
"""The label that tells the processes of one program apart, on what is of each alone; one process has none."""

FOREIGN = frozenset(
    {
        "ALERTS",
        "process_start_time_seconds",
        "scrape_duration_seconds",
        "up",
    }
)
"""Metrics that the rules and dashboards read and the catalogue does not hold: those of Prometheus and its client."""

_OPERATORS = ("=~", "!~", "!=")
_NONE: Mapping[str, str] = {}


def select(metric: MetricSpec | str, matchers: Mapping[str, str] = _NONE, part: str = "") -> str:
    """A selector of a metric, of a recorded series or of a foreign one.

    matchers: by an attribute's OpenTelemetry name or a label, its value, or the operator and the value:
    `{"cache.request.type": "hit", "job": "!~a|b"}`.
    part: which part of a histogram: `_bucket`, `_sum` or `_count`.
    MetricError where the catalogue knows the metric and not the attribute, the value or the part.
    """
    if isinstance(metric, MetricSpec):
        _check(metric, matchers, part)
    series = (metric.prometheus_name if isinstance(metric, MetricSpec) else metric) + part
    inside = ",".join(matcher(name, value) for name, value in matchers.items())
    return f"{series}{{{inside}}}" if inside else series


def matcher(name: str, value: str) -> str:
    """One matcher: of an attribute or label, its value, or the operator and the value."""
    operator = value[:2] if value[:2] in _OPERATORS else "="
    return f'{label(name)}{operator}"{value.removeprefix(operator)}"'


def rate(selector: str, window: str = WINDOW) -> str:
    """What a counter grows by a second."""
    return f"rate({selector}[{window}])"


def increase(selector: str, window: str = WINDOW) -> str:
    """What a counter grows by over the window."""
    return f"increase({selector}[{window}])"


def over(function: str, series: str, window: str) -> str:
    """A series' past in one value: `over("max", s, "1m")` is its greatest in the last minute."""
    return f"{function}_over_time({series}[{window}])"


def lately(function: str, gauge: str, window: str) -> str:
    """A gauge's past in one value; its last value where so many scrapes failed that the window holds none.

    So an alert's clock goes on over scrapes that fail, and at a scrape interval as long as the window: Prometheus 3
    finds one sample in the last minute then.
    """
    return either(over(function, gauge, window), over("last", gauge, WINDOW))


def unless_gone(condition: str) -> str:
    """The condition, but of targets that Prometheus scraped a while ago and no longer has.

    Their last figures say nothing about now. A target that cannot be scraped is another thing: it is there still. One
    whose figures are pushed has none of this.
    """
    return f"({condition})\nunless on ({', '.join(TARGET)}) ({over('last', 'up', WINDOW)} unless up)"


def by(labels: Iterable[str], expr: str, operation: str = "sum") -> str:
    """An aggregation that keeps these attributes or labels; without any, one figure of all."""
    labels = [*labels]
    if not labels:
        return f"{operation}({expr})"
    return f"{operation} by ({', '.join(map(label, labels))}) ({expr})"


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
    return _matcher_of(tuple(names), "", "=~")


def none_of(names: Iterable[str]) -> str:
    """A matcher of all label values but these."""
    return _matcher_of(tuple(names), "!=", "!~")


def bound(seconds: float) -> str:
    """A matcher of the bucket that ends there: Prometheus 3 reads whole numbers as `1.0`, 2 as they came."""
    return f"=~{seconds:g}|{seconds:g}.0" if seconds == int(seconds) else f"{seconds:g}"


def saturation(used: str, limit: str) -> str:
    """How full something is, from 0 to 1; nothing where it has no limit."""
    return f"clamp({used}\n/ ({limit} > 0), 0, 1)"


def staying_over(seconds: float, inside: str, leaving: str) -> str:
    """Those inside, where they stay longer than that on average, or where none leaves.

    Little's law: those inside are the rate of leaving times the mean stay. So a stay shows before it ends, and no
    bucket is too small for it.
    """
    return f"{inside}\n> {seconds:g} * ({leaving} or 0 * {inside})"


def recorded(labels: Iterable[str], metric: MetricSpec | str, operation: str) -> str:
    """The name of a recorded series, `level:metric:operation`; the level is the labels that remain."""
    name = metric.family_name if isinstance(metric, MetricSpec) else metric
    return f"{'_'.join(map(label, labels))}:{name}:{operation}"


def _check(metric: MetricSpec, matchers: Mapping[str, str], part: str) -> None:
    name = metric.prometheus_name
    if (metric.kind is Kind.HISTOGRAM) != (part in ("_bucket", "_sum", "_count")):
        raise MetricError(f"{name!r} is a {metric.kind.value}; it has no series {part!r}")
    of_each = (PROCESS,) if metric.across is Across.EACH else ()
    known = {*metric.attributes, *TARGET, *of_each, *(("le",) if part == "_bucket" else ())}
    for attribute, value in matchers.items():
        if attribute not in known:
            raise MetricError(f"{name!r} has no attribute {attribute!r}; it has {', '.join(sorted(known))}")
        values = metric.values.get(attribute)
        if values and value[:2] not in _OPERATORS and value not in values:
            raise MetricError(f"{name!r}: {attribute} is one of {', '.join(values)}, not {value!r}")


def _matcher_of(names: tuple[str, ...], same: str, like: str) -> str:
    """A regular expression only where there is more than one name."""
    return same + names[0] if len(names) == 1 else like + "|".join(name.replace(".", r"\\.") for name in names)
