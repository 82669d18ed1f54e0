"""Settings that one kind of telemetry may have of its own, in the place of those that hold for all."""

from typing import Any

from manometer.config.declared import setting
from manometer.config.rules import HEADERS, SECONDS, URL, choice

__all__ = ["COMPRESSION", "PROTOCOL", "own_compression", "own_endpoint", "own_headers", "own_protocol", "own_timeout"]

PROTOCOL = choice("http/protobuf", "grpc")
COMPRESSION = choice("none", "gzip")


def own_endpoint(kind: str, what: str) -> Any:
    """Where that kind goes. kind: as OpenTelemetry's variables have it; what: as people do."""
    return setting(
        None,
        f"Whole URL that {what} go to in place of otlp_endpoint.",
        URL,
        live=True,
        platform=_variable(kind, "ENDPOINT"),
    )


def own_headers(what: str) -> Any:
    """What goes with its requests. Its variable is read by OpenTelemetry's exporter."""
    return setting(
        None, f"Headers of requests with {what} in place of otlp_headers.", HEADERS, secret=True, live=True
    )


def own_protocol(kind: str, what: str) -> Any:
    """What its receiver is spoken to by."""
    return setting(
        None,
        f"What the receiver of {what} is spoken to by in place of otlp_protocol.",
        PROTOCOL,
        live=True,
        platform=_variable(kind, "PROTOCOL"),
    )


def own_compression(kind: str, what: str) -> Any:
    """Whether its requests are compressed."""
    return setting(
        None,
        f"Whether requests with {what} are compressed, in place of otlp_compression.",
        COMPRESSION,
        live=True,
        platform=_variable(kind, "COMPRESSION"),
    )


def own_timeout(kind: str, what: str) -> Any:
    """How long one of its requests may take."""
    return setting(
        None,
        f"Seconds that one request with {what} may take, retries included, in place of otlp_timeout.",
        SECONDS,
        live=True,
        platform=_variable(kind, "TIMEOUT"),
    )


def _variable(kind: str, part: str) -> str:
    return f"OTEL_EXPORTER_OTLP_{kind}_{part}"
