"""The window that advice looks back at: what happened in it, and to what it happened often enough."""

from collections.abc import Mapping

from manometer.catalogue import MetricSpec
from manometer.mixin.promql import both, by, increase, over, rate, select
from manometer.mixin.thresholds import Thresholds

__all__ = ["Window"]

_NONE: Mapping[str, str] = {}


class Window:
    """What happened in the window that advice looks back at."""

    def __init__(self, config: Thresholds, labels: tuple[str, ...]) -> None:
        self._limits, self._labels = config.advice, labels
        self.past = str(config.advice.window)

    def rate(self, metric: MetricSpec, matchers: Mapping[str, str] = _NONE, part: str = "") -> str:
        """What a counter grew by a second."""
        return by(self._labels, rate(select(metric, matchers, part), self.past))

    def count(self, metric: MetricSpec, matchers: Mapping[str, str] = _NONE, part: str = "") -> str:
        """What a counter grew by."""
        return by(self._labels, increase(select(metric, matchers, part), self.past))

    def extreme(self, which: str, metric: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
        """The greatest or the least value of a gauge: `max` or `min`."""
        return by(self._labels, over(which, select(metric, matchers), self.past), which)

    def mean(self, histogram: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
        """The mean of the events of a histogram; nothing where there were none."""
        seconds, events = (self.rate(histogram, matchers, part) for part in ("_sum", "_count"))
        return f"({seconds}\n/ ({events} > 0))"

    def known(self, events: MetricSpec, matchers: Mapping[str, str] = _NONE, part: str = "") -> str:
        """Those of which there is enough to judge by: events, samples, and a past as long as the window.

        What has just begun is warming up, and would be judged by that.
        """
        series = select(events, matchers, part)
        return both(
            f"{self.count(events, matchers, part)} >= {self._limits.events:g}",
            f"{by(self._labels, over('count', series, self.past), 'max')} >= {self._limits.samples:g}",
            by(self._labels, f"{series} offset {self.past}", "max"),
        )
