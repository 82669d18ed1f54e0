"""The pushing of a registry's metrics, as the settings have it at the time."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.errors import ConfigError
from manometer.otlp.destination import Destination
from manometer.registry.self_metrics import SelfMetrics

try:
    from manometer.otlp.metrics.push import Push, Rhythm
    from manometer.otlp.metrics.sender import Sender
    from manometer.otlp.metrics.sources import Alone, Group, Source
    from manometer.otlp.metrics.temporality import temporality_of
except ImportError:
    raise ConfigError("the OTLP exporter needs an extra: pip install 'manometer[otlp]'") from None

if TYPE_CHECKING:
    from manometer.processes import Worker

__all__ = ["Pushing"]


class Pushing:
    """Off at first. A receiver takes what it pushes for one and the same, also after a change of settings."""

    def __init__(self, registry: CollectorRegistry, worker: "Worker | None", settings: Settings) -> None:
        self._source: Source
        # What the receiver has taken is known to the process that sent it, so no other can go on from there.
        if worker is None or settings.otlp_instance == "process" or settings.otlp_temporality != "cumulative":
            self._source = Alone(registry, of_many=worker is not None)
        else:
            self._source = Group(worker)
        self._of_each = worker is not None
        self._temporality = temporality_of(settings.otlp_temporality)  # across settings: what was taken stays taken
        self._service, self._self_metrics = settings.service_name, SelfMetrics.of(registry)
        self._now: tuple[Destination, Rhythm] | None = None
        self._push: Push | None = None

    def follow(self, destination: Destination, settings: Settings) -> None:
        """Push there from now on, after a last push to where it went before."""
        rhythm = Rhythm(settings.metric_export_interval, settings.metric_export_timeout, settings.collector_timeout)
        if (destination, rhythm) == self._now:
            return
        sender = Sender(self._source, destination, self._service, self._self_metrics, self._temporality)
        self.close()
        self._push, self._now = Push(sender, rhythm, of_each=self._of_each), (destination, rhythm)

    def flush(self) -> bool:
        """Push now; see there."""
        return self._push is None or self._push.flush()

    def close(self) -> None:
        """Push a last time."""
        push, self._push, self._now = self._push, None, None
        if push is not None:
            push.close()
