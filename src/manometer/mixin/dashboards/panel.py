"""What a dashboard is, as data: rows of panels, their queries, and the variables that narrow them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from manometer.catalogue import MetricSpec, label
from manometer.mixin.promql import both, by, over, rate, select

__all__ = [
    "RATE",
    "SELECTED",
    "Dashboard",
    "Panel",
    "Query",
    "Row",
    "Stat",
    "Variable",
    "alert_line",
    "chosen",
    "quantile",
    "shown",
    "worst_from",
]

RATE = "$__rate_interval"
"""The range of a rate in a panel: Grafana makes it four scrapes or more, whatever the zoom."""

SELECTED: Mapping[str, str] = {"job": "=~$job", "instance": "=~$instance"}
"""The matchers that every selector of a panel carries."""

_NONE: Mapping[str, str] = {}

Steps = tuple[tuple[float | None, str], ...]
"""Colours from a value on, the first from minus infinity."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel. legend: a template of labels; exemplars: whether to show traces beside it.

    limit: it is a threshold or a limit, to be drawn as dashed lines.
    """

    expr: str
    legend: str
    exemplars: bool = False
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph over time.

    description: how to read it, and what to do when it looks bad. unit: Grafana's id of it.
    steps: what its values mean by colour; top: the most that the axis can show, for ratios.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    steps: Steps = ((None, "green"),)
    width: int = 8
    height: int = 8
    top: float | None = None


@dataclass(frozen=True, slots=True)
class Stat(Panel):
    """The latest value, large. names: text and colour of the values from each figure on, greatest first."""

    names: Mapping[float, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice of an attribute's values, out of those that a selector's series carry.

    attribute: its OpenTelemetry name, or the label's. title: what the choice is called.
    closed: all of them are these and no others, for a label that series without Manometer carry too.
    """

    name: str
    attribute: str
    title: str
    selector: str
    description: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard. uid: what links point at, never changed."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    tags: tuple[str, ...] = ("manometer",)


def chosen(metric: MetricSpec | str, matchers: Mapping[str, str] = _NONE, part: str = "") -> str:
    """A selector of the chosen targets' series."""
    return select(metric, {**SELECTED, **matchers}, part)


def quantile(
    q: float, histogram: MetricSpec, labels: tuple[str, ...], legend: str, matchers: Mapping[str, str] = _NONE
) -> Query:
    """A quantile of what a histogram of the chosen targets observed; nothing, and not NaN, where that is nothing."""
    buckets = by((*labels, "le"), rate(chosen(histogram, matchers, "_bucket"), RATE))
    observed = by(labels, rate(chosen(histogram, matchers, "_count"), RATE))
    return Query(both(f"histogram_quantile({q}, {buckets})", f"{observed} > 0"), legend, exemplars=True)


def shown(attribute: str) -> str:
    """The part of a legend that is the value of an attribute or label."""
    return f"{{{{{label(attribute)}}}}}"


def worst_from(limit: float, low: bool = False) -> Steps:
    """Green on the right side of an alert's threshold, red on the other; low: the bad side is below."""
    return ((None, "red"), (limit, "green")) if low else ((None, "green"), (limit, "red"))


def alert_line(alert: str, unit: str) -> Query:
    """The line that an alert draws. It goes by what is in force, whatever these dashboards were rendered with."""
    threshold = select(f"manometer:threshold:{unit}", {"alert": alert})
    return Query(f"max({over('last', threshold, '5m')})", alert, limit=True)
