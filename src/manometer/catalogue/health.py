"""What is measured of health checks."""

from manometer.catalogue.spec import Across, Kind, MetricSpec, Reading

__all__ = ["AGE", "DURATION", "RUNNING", "SPECS", "UP"]

_CHECK = ("health.check.name", "health.check.critical")
_CRITICAL = {"health.check.critical": ("true", "false")}
_SUBJECTS = ("pool.name", "breaker.name")
"""What a check can be about: things whose own alerts tell what is wrong with them."""

UP = MetricSpec(
    name="health.check.up",
    kind=Kind.GAUGE,
    unit="{check}",
    attributes=(*_CHECK, *_SUBJECTS),
    values=_CRITICAL,
    optional=_SUBJECTS,
    reading=Reading.PULL,
    across=Across.MIN,
    help="1 when the check passed, 0 when it failed, outlasts its time-out or is overdue; absent until it has run. A "
    "check that is about a pool or a circuit breaker names it.",
)
DURATION = MetricSpec(
    name="health.check.duration",
    kind=Kind.GAUGE,
    unit="s",
    attributes=_CHECK,
    values=_CRITICAL,
    reading=Reading.PULL,
    across=Across.MAX,
    help="Time that the last run of the check took.",
)
AGE = MetricSpec(
    name="health.check.age",
    kind=Kind.GAUGE,
    unit="s",
    attributes=_CHECK,
    values=_CRITICAL,
    reading=Reading.PULL,
    across=Across.MAX,
    help="Time since the check last ended; one that grows past its interval hangs.",
)
RUNNING = MetricSpec(
    name="health.check.running",
    kind=Kind.GAUGE,
    unit="s",
    attributes=_CHECK,
    values=_CRITICAL,
    reading=Reading.PULL,
    across=Across.MAX,
    help="Time that the run of the check under way has taken so far; absent while none is.",
)

SPECS = (UP, DURATION, AGE, RUNNING)
