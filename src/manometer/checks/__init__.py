"""Ready-made health checks: each call returns what `manometer.check` runs.

    from manometer import check, checks

    check("memory", checks.memory(), critical=False)
    check("database", checks.database(engine))

None of them waits without an end for what it asks, but where a driver does: such a run fails after its time-out.
"""

from manometer.checks.database import database
from manometer.checks.event_loop import loop_lag
from manometer.checks.figures import breaker, figure, pool
from manometer.checks.host import cpu, disk, memory
from manometer.checks.network import http, otlp
from manometer.health import Finding

__all__ = ["Finding", "breaker", "cpu", "database", "disk", "figure", "http", "loop_lag", "memory", "otlp", "pool"]
