"""Where what leaves the program over OTLP goes, and how, as the settings have it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from manometer.config import Settings
from manometer.config.rules import headers

__all__ = ["DECIDED_BY", "GRPC", "Destination", "of_lines", "of_metrics", "of_spans"]

GRPC = "grpc"
_PARTS = ("endpoint", "headers", "protocol", "compression", "timeout")
_KINDS = ("traces", "metrics", "logs")
DECIDED_BY = (
    "otlp_disabled",
    *[f"otlp_{part}" for part in _PARTS],
    *[f"otlp_{kind}_{part}" for kind in _KINDS for part in _PARTS],
    *[f"{kind}_exporter" for kind in _KINDS],
)
"""The settings that say where what goes."""


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
    return _of(settings, "traces", settings.traces_exporter)


def of_metrics(settings: Settings) -> Destination | None:
    """Where metrics go; None where nowhere."""
    return _of(settings, "metrics", settings.metrics_exporter)


def of_lines(settings: Settings) -> Destination | None:
    """Where log lines go; None where nowhere."""
    return _of(settings, "logs", settings.logs_exporter)


def _of(settings: Settings, kind: str, exporter: str) -> Destination | None:
    whole, base = getattr(settings, f"otlp_{kind}_endpoint"), settings.otlp_endpoint
    if settings.otlp_disabled or exporter == "none" or (whole is None and base is None):
        return None
    headers_set, protocol, compression, timeout = [_own(settings, kind, part) for part in _PARTS[1:]]
    if whole is None and base is not None:
        whole = base if protocol == GRPC else f"{base.rstrip('/')}/v1/{kind}"
    sent = None if headers_set is None else headers(headers_set)
    return Destination(str(whole), sent, protocol, compression, timeout)


def _own(settings: Settings, kind: str, part: str) -> Any:
    """What that kind of telemetry has for itself, else what holds for all."""
    own = getattr(settings, f"otlp_{kind}_{part}")
    return getattr(settings, f"otlp_{part}") if own is None else own
