"""Ready-made health checks: each call returns what `manometer.check` runs.

    from manometer import check, checks

    check("memory", checks.memory(), critical=False)
    check("database", checks.database(engine))

What they ask over the network has time-outs. Where a driver of a database waits longer than its check may take, the
check fails meanwhile, and hinders no other.
"""

from manometer.checks.database import database
from manometer.checks.event_loop import loop_lag
from manometer.checks.figures import breaker, figure, pool
from manometer.checks.host import cpu, disk, memory
from manometer.checks.network import http, otlp
from manometer.checks.subjects import about
from manometer.health import Finding

__all__ = [
    "Finding",
    "about",
    "breaker",
    "cpu",
    "database",
    "disk",
    "figure",
    "http",
    "loop_lag",
    "memory",
    "otlp",
    "pool",
]
