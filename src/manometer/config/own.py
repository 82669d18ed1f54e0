"""Settings that one kind of telemetry may have of its own, in the place of those that hold for all."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from manometer.config.declared import setting
from manometer.config.rules import HEADERS, SECONDS, URL, choice

__all__ = ["COMPRESSION", "PROTOCOL", "own"]

PROTOCOL = choice("http/protobuf", "grpc")
COMPRESSION = choice("none", "gzip")

_PARTS: Mapping[str, tuple[str, Any]] = MappingProxyType(
    {
        "endpoint": ("Whole URL that {} go to in place of otlp_endpoint.", URL),
        "headers": ("Headers of requests with {} in place of otlp_headers.", HEADERS),
        "protocol": ("What the receiver of {} is spoken to by in place of otlp_protocol.", PROTOCOL),
        "compression": ("Whether requests with {} are compressed, in place of otlp_compression.", COMPRESSION),
        "timeout": (
            "Seconds that one request with {} may take, retries included, in place of otlp_timeout.",
            SECONDS,
        ),
    }
)
"""What each says, of what it is about, and what it takes."""


def own(kind: str, what: str, part: str) -> Any:
    """A setting of one kind. kind: as OpenTelemetry's variables have it; what: as people do; part: which setting.

    The variable of headers is read by OpenTelemetry's exporter.
    """
    meaning, takes = _PARTS[part]
    is_secret = part == "headers"
    variable = None if is_secret else f"OTEL_EXPORTER_OTLP_{kind}_{part.upper()}"
    return setting(None, meaning.format(what), takes, secret=is_secret, live=True, platform=variable)
