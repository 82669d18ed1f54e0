"""Sends the program's spans, metrics and log lines where its settings say, for as long as they say so."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.errors import ConfigError
from manometer.flushing import within
from manometer.otlp.destination import DECIDED_BY, Destination, of_lines, of_metrics, of_spans
from manometer.tracing.sampling import Sampling

if TYPE_CHECKING:
    from manometer.otlp.lines.lines import Lines
    from manometer.otlp.metrics.pushing import Pushing
    from manometer.otlp.spans import Spans
    from manometer.processes import Worker

__all__ = ["FOLLOWED", "Sending"]

FOLLOWED = (
    *DECIDED_BY,
    *("metric_export_interval", "metric_export_timeout", "collector_timeout"),
    *("trace_sampler", "trace_ratio", "traces_afterwards", "slow_run_seconds"),
)
"""The settings that it follows while the program runs."""


class Sending:
    """The sending of all three, off at first. One caller at a time.

    worker: this process's part in a group, where it is of one.
    """

    def __init__(self, registry: CollectorRegistry, worker: "Worker | None" = None) -> None:
        self._registry, self._worker = registry, worker
        self._spans: Spans | None = None
        self._metrics: Pushing | None = None
        self._lines: Lines | None = None
        self._lines_go_to: Destination | None = None

    def follow(self, settings: Settings) -> None:
        """Begin, end or change it as these settings have it; ConfigError, with the old to be followed again."""
        self._send_spans(of_spans(settings), settings)
        self._push_metrics(of_metrics(settings), settings)
        self._send_lines(of_lines(settings), settings)

    def close(self) -> None:
        """Send what is left, and no more."""
        metrics, self._metrics = self._metrics, None
        spans, self._spans = self._spans, None
        for each in (metrics, spans):
            if each is not None:
                each.close()
        self._end_lines()  # the last: it has the lines of the others

    def flush(self) -> bool:
        """Send what is queued, push the figures, and go on; whether all of it got there.

        All three at once: a receiver of one kind that hangs holds up no other.
        """
        spans, metrics, lines = self._spans, self._metrics, self._lines
        parts = [
            None if spans is None else spans.flush,
            None if metrics is None else metrics.flush,
            None if lines is None else lines.send,
        ]
        return within(None, [part for part in parts if part is not None])

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

    def _send_lines(self, destination: Destination | None, settings: Settings) -> None:
        if destination == self._lines_go_to:
            return
        lines = None
        if destination is not None:
            try:
                from manometer.otlp.lines.lines import Lines
            except ImportError:
                raise ConfigError("the OTLP exporter needs an extra: pip install 'manometer[otlp]'") from None
            lines = Lines(destination, settings.service_name, self._registry)
        self._end_lines()
        self._lines, self._lines_go_to = lines, destination

    def _end_lines(self) -> None:
        lines, self._lines, self._lines_go_to = self._lines, None, None
        if lines is not None:
            lines.close()
