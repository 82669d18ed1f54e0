"""What is told of a configuration that is read at the start, and again while the program runs."""

from time import time

from manometer.catalogue import MetricSpec
from manometer.meters.counter import Counter
from manometer.registry.catalogued import Pulled, meter

__all__ = ["Reloads"]


class Reloads:
    """Counts the reloads of one configuration by their outcome, and knows whether the last reading was right.

    count, successful, since: the metrics that tell this.
    """

    def __init__(self, count: MetricSpec, successful: MetricSpec, since: MetricSpec) -> None:
        self.counter = meter(count, Counter)
        self._successful, self._since = successful, since
        self._last: tuple[bool, float] | None = None

    def started(self) -> None:
        """The configuration was read for the first time, and is right."""
        self._last = True, time()

    def ended(self, outcome: str) -> None:
        """A reload ended with this outcome. `refused`: the configuration is wrong, and the old one holds."""
        self.counter.labels(outcome).inc()
        was = self._last
        is_right = outcome != "refused"
        self._last = is_right, time() if is_right or was is None else was[1]

    def forget(self) -> None:
        """No configuration holds any more; what was counted stays."""
        self._last = None

    def figures(self) -> list[Pulled]:
        """Whether the last reading was right, and when the last right one was; nothing where none holds."""
        if self._last is None:
            return []
        is_right, at = self._last
        return [(self._successful, {}, is_right), (self._since, {}, at)]
