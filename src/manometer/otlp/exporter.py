"""What sends spans, metrics or log lines to a receiver, whatever the protocol."""

from typing import Protocol

from opentelemetry.sdk.trace.export import SpanExporter

from manometer.otlp.answers import Answers
from manometer.otlp.destination import Destination

__all__ = ["EncodedExporter", "Exporters"]


class EncodedExporter(Protocol):
    """What sends metrics or log lines that are encoded already."""

    def send(self, body: bytes, number: int, /) -> bool:
        """Send a request with so many points or lines; whether the receiver answered with success."""

    def close(self) -> None:
        """Send no more, and give up a request that another thread is at, where the exporter can do that."""


class Exporters(Protocol):
    """Those of one protocol."""

    def spans(self, destination: Destination, answers: Answers) -> SpanExporter:
        """What sends spans there."""

    def metrics(self, destination: Destination, answers: Answers) -> EncodedExporter:
        """What sends metrics there."""

    def lines(self, destination: Destination, answers: Answers) -> EncodedExporter:
        """What sends log lines there."""
