"""The queries of panels: selectors that follow the choices, and what is commonly asked of a metric."""

from collections.abc import Mapping

from manometer.catalogue import MetricSpec, engine, label, process
from manometer.mixin import histograms
from manometer.mixin.dashboards.panel import Query
from manometer.mixin.promql import by, increase, over, rate, select

__all__ = [
    "RATE",
    "SELECTED",
    "SHOWN",
    "alert_line",
    "alerts",
    "chosen",
    "grown",
    "heat",
    "highest",
    "per_second",
    "quantile",
    "shown",
    "watched",
]

RATE = "$__rate_interval"
"""The range of a rate in a panel: Grafana makes it four scrapes or more, whatever the zoom."""

SHOWN = "$__range"
"""All of the time that is shown, for a single figure about it."""

SELECTED: Mapping[str, str] = {"job": "=~$job", "instance": "=~$instance"}
"""The matchers that every selector of a panel carries."""

_NONE: Mapping[str, str] = {}
_SHOWN_AT_MOST = 10  # lines that a graph of targets may have; a thousand targets would be a smear


def chosen(metric: MetricSpec | str, matchers: Mapping[str, str] = _NONE, part: str = "") -> str:
    """A selector of the chosen targets' series."""
    return select(metric, {**SELECTED, **matchers}, part)


def shown(attribute: str) -> str:
    """The part of a legend that is the value of an attribute or label."""
    return f"{{{{{label(attribute)}}}}}"


def per_second(
    metric: MetricSpec | str, labels: tuple[str, ...], matchers: Mapping[str, str] = _NONE, part: str = ""
) -> str:
    """What a counter of the chosen targets grows by a second.

    part: of a histogram: `_count` is its events, `_sum` what they add up to.
    """
    if part:
        return histograms.per_second(part, metric, labels, {**SELECTED, **matchers}, RATE)
    return by(labels, rate(chosen(metric, matchers), RATE))


def grown(metric: MetricSpec | str, labels: tuple[str, ...], matchers: Mapping[str, str] = _NONE) -> str:
    """What a counter of the chosen targets grew by from one point of the graph to the next."""
    return by(labels, increase(chosen(metric, matchers), RATE))


def quantile(
    q: float, histogram: MetricSpec, labels: tuple[str, ...], legend: str, matchers: Mapping[str, str] = _NONE
) -> Query:
    """A quantile of what a histogram of the chosen targets observed; nothing, and not NaN, where that is nothing."""
    expr = histograms.quantile(q, histogram, labels, {**SELECTED, **matchers}, RATE)
    return Query(expr, legend, exemplars=_has_exemplars(histogram))


def heat(histogram: MetricSpec, matchers: Mapping[str, str] = _NONE) -> Query:
    """How often each duration occurred, for a heatmap: by bucket, or as a native histogram, which has its own."""
    expr = histograms.grown(histogram, {**SELECTED, **matchers}, RATE)
    return Query(expr, "{{le}}", exemplars=_has_exemplars(histogram))


def highest(expr: str, count: int = _SHOWN_AT_MOST) -> str:
    """The greatest series of each moment: all where there are few, and still a picture where there are thousands."""
    return f"topk({count}, {expr})"


def alert_line(alert: str, unit: str) -> Query:
    """The line that an alert draws. It goes by what is in force, whatever these dashboards were rendered with."""
    threshold = select(f"manometer:threshold:{unit}", {"alert": alert})
    return Query(f"max({over('last', threshold, '5m')})", alert, limit=True, alert=alert)


def watched(series: str) -> str:
    """Those of Prometheus's own series that are about a job with Manometer: `up` and `ALERTS` are there of every job.

    A job whose targets are all down still counts for an hour.
    """
    seen = by(("job",), over("last", chosen(process.UPTIME), "1h"), "group")
    return f"{series}\nand on (job) {seen}"


def alerts(matchers: Mapping[str, str]) -> str:
    """The firing alerts about the chosen targets; one about a whole job has no instance."""
    about = {name: f"{matcher}|" for name, matcher in SELECTED.items()}
    return watched(select("ALERTS", {"alertstate": "firing", **matchers, **about}))


def _has_exemplars(histogram: MetricSpec) -> bool:
    """Only what a span is around has any."""
    return histogram is engine.STAGE_DURATION
