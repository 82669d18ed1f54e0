"""Sends the program's spans where its settings say, for as long as they say so."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.config.rules import headers
from manometer.tracing.sampling import Sampling

if TYPE_CHECKING:
    from manometer.otlp.spans import Spans

__all__ = ["Sending"]


class Sending:
    """The sending of spans, off at first. One caller at a time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._spans: Spans | None = None

    def follow(self, settings: Settings) -> None:
        """Begin, end or change it as these settings have it; ConfigError, with nothing changed, where that fails."""
        endpoint, sampling = settings.otlp_endpoint, Sampling.of(settings)
        if endpoint is None:
            self.close()
            return
        from manometer.otlp.spans import Spans  # needs an extra

        sent = None if settings.otlp_headers is None else headers(settings.otlp_headers)
        if self._spans is None:
            self._spans = Spans(endpoint, sampling, settings.service_name, self._registry, sent)
        else:
            self._spans.change(endpoint, sampling, sent)

    def close(self) -> None:
        """Send what is queued, and no more."""
        spans, self._spans = self._spans, None
        if spans is not None:
            spans.close()
