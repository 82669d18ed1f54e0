"""What sends spans or metrics to a receiver, whatever the protocol."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from opentelemetry.sdk.trace.export import SpanExporter

from manometer.otlp.answers import Answers
from manometer.otlp.destination import Destination

__all__ = ["Exporters", "MetricsExporter", "SpansExporter"]


class SpansExporter(NamedTuple):
    """What sends spans. let_go: gives back what was changed of what the exporter may share with others."""

    exporter: SpanExporter
    let_go: Callable[[], object] = lambda: None


class MetricsExporter(Protocol):
    """What sends metrics that are encoded already."""

    def send(self, body: bytes, points: int, /) -> bool:
        """Send an ExportMetricsServiceRequest with so many points; whether the receiver answered with success."""

    def close(self) -> None:
        """Send no more, and give up a request that another thread is at, where the exporter can do that."""


class Exporters(Protocol):
    """Those of one protocol."""

    def spans(self, destination: Destination, answers: Answers) -> SpansExporter:
        """What sends spans there."""

    def metrics(self, destination: Destination, answers: Answers) -> MetricsExporter:
        """What sends metrics there."""
