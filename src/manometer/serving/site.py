"""Site: what the pages show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.health import Check, Lifecycle
from manometer.registry.limits import PATIENCE
from manometer.registry.reloads import Reloads
from manometer.registry.self_metrics import SelfMetrics
from manometer.serving.slots import Slots

__all__ = ["SCRAPES", "Site"]

SCRAPES = 12
"""Scrapes that are answered at once where no setting says otherwise; probes have threads of their own."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages show: a registry's figures, the checks and the phase of the program, its name.

    own: the program's own registry, where `registry` shows the figures of a whole group; patience: seconds that a
    collector may take; scrapes: how many are answered at once; figures: the path of the figures.
    """

    registry: CollectorRegistry = REGISTRY
    checks: Callable[[], Sequence[Check]] = tuple
    service: str = "python"
    own: CollectorRegistry | None = None
    patience: float = PATIENCE
    scrapes: Slots = field(default_factory=lambda: Slots(SCRAPES))
    figures: str = "/metrics"
    lifecycle: Lifecycle = field(default_factory=Lifecycle)

    def refused(self, reason: str) -> None:
        """Count that the server refused a connection or a request for such a reason."""
        SelfMetrics.of(self._counting).server_refusals.labels(reason).inc()

    @property
    def web_config(self) -> Reloads:
        """What is told of the web configuration's readings."""
        return SelfMetrics.of(self._counting).web_config

    def lacked(self, resource: str, error: BaseException | None = None) -> None:
        """Count that the server lacked such a thing; see SelfMetrics.lacked."""
        SelfMetrics.of(self._counting).lacked(resource, error)

    def had(self, *resources: str) -> None:
        """The server had these things."""
        self_metrics = SelfMetrics.existing(self._counting)
        if self_metrics is not None:
            self_metrics.had(*resources)

    @property
    def _counting(self) -> CollectorRegistry:
        return self.registry if self.own is None else self.own
