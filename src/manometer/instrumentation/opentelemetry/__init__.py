"""What other libraries record by OpenTelemetry's meters, at `/metrics`."""

from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import ConfigError

if TYPE_CHECKING:
    from manometer.instrumentation.opentelemetry.reader import MetricReader

__all__ = ["metric_reader"]


def metric_reader(registry: CollectorRegistry = REGISTRY) -> "MetricReader":
    """A reader for OpenTelemetry's MeterProvider that shows on the registry what the provider's meters record.

        set_meter_provider(MeterProvider(metric_readers=[manometer.metric_reader()]))

    Manometer does not push these figures: a provider that shall push has a reader of OpenTelemetry's for that.
    A forked child does not show what its parent's provider has: give the child a provider of its own.
    Raises ConfigError where OpenTelemetry's SDK is not installed.
    """
    try:
        from manometer.instrumentation.opentelemetry.reader import MetricReader  # needs an extra
    except ImportError:
        raise ConfigError(
            "the figures of OpenTelemetry's meters need an extra: pip install 'manometer[otlp]'"
        ) from None
    return MetricReader(registry)
