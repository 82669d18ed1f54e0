"""OpenTelemetry's exporters by their protocol."""

from manometer.errors import ConfigError
from manometer.otlp.destination import GRPC
from manometer.otlp.exporter import Exporters

__all__ = ["exporters"]


def exporters(protocol: str) -> Exporters:
    """Those of that protocol; ConfigError where they cannot be had."""
    if protocol == GRPC:
        try:
            from manometer.otlp import grpc  # an extra of its own, and slow to import
        except ImportError:
            raise ConfigError("OTLP over gRPC needs an extra: pip install 'manometer[grpc]'") from None
        return grpc
    try:
        from manometer.otlp import http  # loaded where it is used
    except ImportError as error:  # OpenTelemetry's needs ctypes, which no isolated subinterpreter can load
        raise ConfigError(
            f"nothing can be sent from here ({error}); in a subinterpreter, leave otlp_endpoint out, and elsewhere "
            "install the extra: pip install 'manometer[otlp]'"
        ) from None
    return http
