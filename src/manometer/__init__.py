"""Manometer: metrics and traces of Python caches, pools and engines, for Prometheus and OpenTelemetry."""

from manometer.app import Manometer, asgi_app, start, wsgi_app
from manometer.config import Settings
from manometer.errors import BindingError, ConfigError, ManometerError, MetricError, UnsupportedError
from manometer.exporter.exposition import render
from manometer.health import check
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.cache import instrument_cache
from manometer.instrumentation.engine import stage
from manometer.instrumentation.pool import instrument_executor, instrument_pool
from manometer.instrumentation.resilience import instrument_breaker, instrument_retry
from manometer.instrumentation.runtime import instrument_loop
from manometer.meters import Counter, Gauge, Histogram

__all__ = [
    "Binding",
    "BindingError",
    "ConfigError",
    "Counter",
    "Gauge",
    "Histogram",
    "Manometer",
    "ManometerError",
    "MetricError",
    "Settings",
    "UnsupportedError",
    "asgi_app",
    "check",
    "instrument_breaker",
    "instrument_cache",
    "instrument_executor",
    "instrument_loop",
    "instrument_pool",
    "instrument_retry",
    "render",
    "stage",
    "start",
    "wsgi_app",
]
