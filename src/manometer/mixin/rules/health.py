"""Rules of health checks."""

from manometer.catalogue import health
from manometer.mixin.promql import TARGET, by, over, select
from manometer.mixin.rules.rule import Alert, Group, Severity
from manometer.mixin.thresholds import Thresholds

__all__ = ["groups"]


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of health checks."""
    failing = (_failing("true", Severity.CRITICAL, config), _failing("false", Severity.WARNING, config))
    return (Group("health", failing, fast=True),)


def _failing(critical: str, severity: Severity, config: Thresholds) -> Alert:
    up = by((*TARGET, "check", "critical"), over("max", select(health.UP, critical=critical), config.lookback), "max")
    weight = "critical" if critical == "true" else "non-critical"
    return Alert(
        name="HealthCheckFailing",
        expr=f"{up} == 0",
        severity=severity,
        fires=f"a {weight} health check fails",
        summary="Health check {{ $labels.check }} of {{ $labels.job }} fails",
        description=f"The {weight} check {{{{ $labels.check }}}} on {{{{ $labels.instance }}}} has not passed for a"
        " minute or longer.",
    )
