"""The window that advice looks back at: what happened in it, and to what it happened often enough."""

from collections.abc import Mapping

from manometer.catalogue import Kind, MetricSpec
from manometer.mixin.histograms import amounts, events
from manometer.mixin.promql import both, by, either, over, rate, select
from manometer.mixin.thresholds import Thresholds

__all__ = ["Window"]

_NONE: Mapping[str, str] = {}
_PARTS = 6


class Window:
    """What happened in the window that advice looks back at. labels: the attributes that tell its things apart."""

    def __init__(self, config: Thresholds, labels: tuple[str, ...]) -> None:
        self._limits, self._labels = config.advice, labels
        self._past = str(config.advice.window)
        self.part = f"{max(config.advice.window.seconds // _PARTS, 1)}s"
        """How long a sixth of the window is."""

    def rate(self, metric: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
        """What a counter grew by a second, or a histogram's events a second."""
        if metric.kind is Kind.HISTOGRAM:
            return events(metric, self._labels, matchers, self._past)
        return by(self._labels, rate(select(metric, matchers), self._past))

    def spent(self, histogram: MetricSpec, matchers: Mapping[str, str] = _NONE, past: str = "") -> str:
        """What the events of a second took together. past: how far back, where it is not the window."""
        return amounts(histogram, self._labels, matchers, past or self._past)

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
