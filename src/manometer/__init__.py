"""Manometer: metrics and traces of Python caches, pools and engines, for Prometheus and OpenTelemetry.

Each name is imported when it is first asked for, so that a program pays for what it uses: one that
counts has no part of the exporter, and one that serves no stage none of OpenTelemetry.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manometer.app.applications import asgi_app, wsgi_app
    from manometer.app.manometer import Manometer, start
    from manometer.config import Settings
    from manometer.errors import BindingError, ConfigError, ManometerError, MetricError, UnsupportedError
    from manometer.exposition.render import render
    from manometer.flushing import flush
    from manometer.health import check, lifecycle
    from manometer.heap import memory_report
    from manometer.instrumentation.binding import Binding
    from manometer.instrumentation.cache import instrument_cache
    from manometer.instrumentation.engine import stage
    from manometer.instrumentation.opentelemetry import metric_reader
    from manometer.instrumentation.pool import instrument_executor, instrument_pool
    from manometer.instrumentation.queue import instrument_queue
    from manometer.instrumentation.resilience import instrument_breaker, instrument_retry
    from manometer.instrumentation.runtime import instrument_loop, instrument_semaphore
    from manometer.life import Life
    from manometer.registry import Counter, Gauge, Histogram
    from manometer.tracing.propagation import continue_trace, trace_headers
    from manometer.tracing.requests import traced_asgi, traced_wsgi
    from manometer.version import __version__

__all__ = [
    "Binding",
    "BindingError",
    "ConfigError",
    "Counter",
    "Gauge",
    "Histogram",
    "Life",
    "Manometer",
    "ManometerError",
    "MetricError",
    "Settings",
    "UnsupportedError",
    "__version__",
    "asgi_app",
    "check",
    "continue_trace",
    "flush",
    "instrument_breaker",
    "instrument_cache",
    "instrument_executor",
    "instrument_loop",
    "instrument_pool",
    "instrument_queue",
    "instrument_retry",
    "instrument_semaphore",
    "lifecycle",
    "memory_report",
    "metric_reader",
    "render",
    "stage",
    "start",
    "trace_headers",
    "traced_asgi",
    "traced_wsgi",
    "wsgi_app",
]

_HOMES = {
    "manometer.app.applications": ("asgi_app", "wsgi_app"),
    "manometer.app.manometer": ("Manometer", "start"),
    "manometer.config": ("Settings",),
    "manometer.errors": ("BindingError", "ConfigError", "ManometerError", "MetricError", "UnsupportedError"),
    "manometer.exposition.render": ("render",),
    "manometer.flushing": ("flush",),
    "manometer.health": ("check", "lifecycle"),
    "manometer.heap": ("memory_report",),
    "manometer.instrumentation.binding": ("Binding",),
    "manometer.instrumentation.cache": ("instrument_cache",),
    "manometer.instrumentation.engine": ("stage",),
    "manometer.instrumentation.opentelemetry": ("metric_reader",),
    "manometer.instrumentation.pool": ("instrument_executor", "instrument_pool"),
    "manometer.instrumentation.queue": ("instrument_queue",),
    "manometer.instrumentation.resilience": ("instrument_breaker", "instrument_retry"),
    "manometer.instrumentation.runtime": ("instrument_loop", "instrument_semaphore"),
    "manometer.life": ("Life",),
    "manometer.registry": ("Counter", "Gauge", "Histogram"),
    "manometer.tracing.propagation": ("continue_trace", "trace_headers"),
    "manometer.tracing.requests": ("traced_asgi", "traced_wsgi"),
    "manometer.version": ("__version__",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'manometer' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
