"""Sends the program's spans and metrics where its settings say, for as long as they say so."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.otlp.destination import Destination, of_metrics, of_spans
from manometer.tracing.sampling import Sampling

if TYPE_CHECKING:
    from manometer.otlp.metrics.pushing import Pushing
    from manometer.otlp.spans import Spans
    from manometer.processes import Worker

__all__ = ["FOLLOWED", "Sending"]

FOLLOWED = (
    *("otlp_endpoint", "otlp_headers", "otlp_protocol", "otlp_compression", "otlp_timeout", "otlp_disabled"),
    *("otlp_metrics_endpoint", "metrics_exporter", "metric_export_interval", "metric_export_timeout"),
    *("trace_sampler", "trace_ratio", "traces_afterwards", "slow_run_seconds", "collector_timeout"),
)
"""The settings that it follows while the program runs."""


class Sending:
    """The sending of both, off at first. One caller at a time.

    worker: this process's part in a group, where it is of one.
    """

    def __init__(self, registry: CollectorRegistry, worker: "Worker | None" = None) -> None:
        self._registry, self._worker = registry, worker
        self._spans: Spans | None = None
        self._metrics: Pushing | None = None

    def follow(self, settings: Settings) -> None:
        """Begin, end or change it as these settings have it; ConfigError, with the old to be followed again."""
        self._send_spans(of_spans(settings), settings)
        self._push_metrics(of_metrics(settings), settings)

    def close(self) -> None:
        """Send what is left, and no more."""
        metrics, self._metrics = self._metrics, None
        spans, self._spans = self._spans, None
        for each in (metrics, spans):
            if each is not None:
                each.close()

    def flush(self) -> bool:
        """Send what is queued, push the figures, and go on; whether all of it got there."""
        spans, metrics = self._spans, self._metrics
        arrived = spans is None or spans.flush()
        return (metrics is None or metrics.flush()) and arrived

    def _send_spans(self, destination: Destination | None, settings: Settings) -> None:
        if destination is None:
            spans, self._spans = self._spans, None
            if spans is not None:
                spans.close()
            return
        from manometer.otlp.spans import Spans  # needs an extra

        if self._spans is None:
            self._spans = Spans(destination, Sampling.of(settings), settings.service_name, self._registry)
        else:
            self._spans.change(destination, Sampling.of(settings))

    def _push_metrics(self, destination: Destination | None, settings: Settings) -> None:
        if destination is None:
            metrics, self._metrics = self._metrics, None
            if metrics is not None:
                metrics.close()
            return
        from manometer.otlp.metrics.pushing import Pushing  # needs an extra

        if self._metrics is None:
            self._metrics = Pushing(self._registry, self._worker, settings)
        self._metrics.follow(destination, settings)
