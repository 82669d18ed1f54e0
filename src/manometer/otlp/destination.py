"""Where what leaves the program over OTLP goes, and how, as the settings have it."""

from collections.abc import Mapping
from typing import NamedTuple

from manometer.config import Settings
from manometer.config.rules import headers

__all__ = ["GRPC", "Destination", "of_lines", "of_metrics", "of_spans"]

GRPC = "grpc"


class Destination(NamedTuple):
    """A receiver. headers: of each request; None leaves them to OpenTelemetry's own variables.

    url: the whole one over HTTP; over gRPC, the part with the host counts. timeout: seconds for one request, retries
    included.
    """

    url: str
    headers: Mapping[str, str] | None = None
    protocol: str = "http/protobuf"
    compression: str = "none"
    timeout: float = 10.0


def of_spans(settings: Settings) -> Destination | None:
    """Where spans go; None where nowhere."""
    return _of(settings, None, "v1/traces")


def of_metrics(settings: Settings) -> Destination | None:
    """Where metrics go; None where nowhere."""
    if settings.metrics_exporter == "none":
        return None
    return _of(settings, settings.otlp_metrics_endpoint, "v1/metrics")


def of_lines(settings: Settings) -> Destination | None:
    """Where log lines go; None where nowhere."""
    return None if settings.logs_exporter == "none" else _of(settings, None, "v1/logs")


def _of(settings: Settings, whole: str | None, path: str) -> Destination | None:
    base = settings.otlp_endpoint
    if settings.otlp_disabled or (whole is None and base is None):
        return None
    protocol = settings.otlp_protocol
    if whole is None and base is not None:
        whole = base if protocol == GRPC else f"{base.rstrip('/')}/{path}"
    sent = None if settings.otlp_headers is None else headers(settings.otlp_headers)
    return Destination(str(whole), sent, protocol, settings.otlp_compression, settings.otlp_timeout)
