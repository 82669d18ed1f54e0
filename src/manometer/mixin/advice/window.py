"""The window that advice looks back at: what happened in it, and to what it happened often enough."""

from collections.abc import Callable, Mapping

from manometer.catalogue import Kind, MetricSpec
from manometer.mixin.histograms import amounts, events
from manometer.mixin.promql import both, by, either, over, rate, recorded, select
from manometer.mixin.thresholds import Thresholds

__all__ = ["Keep", "Window", "inline"]

Keep = Callable[[str, str], str]
"""Takes the name of a series and an expression, and gives which of them is to be read in the expression's place."""

_NONE: Mapping[str, str] = {}
_PARTS = 6


def inline(name: str, expr: str) -> str:
    """The expression itself: nothing is recorded."""
    del name
    return expr


class Window:
    """What happened in the window that advice looks back at.

    labels: the attributes that tell its things apart. keep: what becomes of what is read more than once.
    """

    def __init__(self, config: Thresholds, labels: tuple[str, ...], keep: Keep) -> None:
        self._limits, self._labels, self._keep = config.advice, labels, keep
        self._kept: dict[str, str] = {}
        self._past = str(config.advice.window)
        self.part = f"{max(config.advice.window.seconds // _PARTS, 1)}s"
        """How long a sixth of the window is."""

    def kept(self, metric: MetricSpec, what: str, expr: str) -> str:
        """An expression that is read more than once, and what is read in its place from now on.

        metric, what: name the series that the rules make of it.
        """
        self._kept[expr] = self._keep(recorded(self._labels, metric, f"{what}{self._past}"), expr)
        return self._kept[expr]

    def rate(self, metric: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
        """What a counter grew by a second, or a histogram's events a second."""
        if metric.kind is Kind.HISTOGRAM:
            expr = events(metric, self._labels, matchers, self._past)
        else:
            expr = by(self._labels, rate(select(metric, matchers), self._past))
        return self._kept.get(expr, expr)

    def spent(self, histogram: MetricSpec, matchers: Mapping[str, str] = _NONE, past: str = "") -> str:
        """What the events of a second took together. past: how far back, where it is not the window."""
        expr = amounts(histogram, self._labels, matchers, past or self._past)
        return self._kept.get(expr, expr)

    def least(self, of_part: str) -> str:
        """The least that an expression was in the parts of the window, so that one fault does not count.

        of_part: an expression that looks back over `part`.
        """
        return f"min_over_time(({of_part})[{self._past}:{self.part}])"

    def mean(self, histogram: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
        """The mean of a histogram's events: not a number where there were none, which passes no comparison."""
        return f"({self.spent(histogram, matchers)}\n/ {self.rate(histogram, matchers)})"

    def peak(self, gauge: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
        """The greatest value of a gauge."""
        return by(self._labels, over("max", select(gauge, matchers), self._past), "max")

    def known(self, metric: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
        """Those with enough events to judge by, which are not new."""
        events_in_window = f"{self._limits.window.seconds} * {self.rate(metric, matchers)}"
        return both(f"{events_in_window} >= {self._limits.events:g}", self.lasting(metric, matchers))

    def lasting(self, metric: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
        """Those that had samples enough, and were there a window ago.

        What has just begun is warming up, and would be judged by that.
        """
        series = [select(metric, matchers, "_count" if metric.kind is Kind.HISTOGRAM else "")]
        if metric.kind is Kind.HISTOGRAM:  # Prometheus may hold it as one native series
            series.append(select(metric.prometheus_name, matchers))
        samples = either(*(by(self._labels, over("count", each, self._past), "max") for each in series))
        before = either(*(by(self._labels, f"{each} offset {self._past}", "group") for each in series))
        return both(f"({samples}) >= {self._limits.samples:g}", f"({before})")
