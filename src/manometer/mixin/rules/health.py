"""Rules of health checks."""

from manometer.catalogue import health
from manometer.mixin.promql import TARGET, by, lately, select, unless_gone
from manometer.mixin.rules.rule import Alert, Group, Severity, told
from manometer.mixin.thresholds import Thresholds

__all__ = ["groups"]


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of health checks."""
    return (
        Group("health", (_failing("true", Severity.CRITICAL, config),), fast=True),
        Group("health-tickets", (_failing("false", Severity.WARNING, config),)),
    )


def _failing(critical: str, severity: Severity, config: Thresholds) -> Alert:
    check = (*TARGET, *health.UP.attributes)
    up = by(check, lately("max", select(health.UP, {"health.check.critical": critical}), config.lookback), "max")
    weight = "critical" if critical == "true" else "non-critical"
    return Alert(
        name="HealthCheckFailing",
        expr=unless_gone(f"{up} == 0"),
        severity=severity,
        fires=f"a {weight} health check fails",
        summary=f"Health check {told('health.check.name')} of {told('job')} fails",
        description=f"The {weight} check {told('health.check.name')} on {told('instance')} has not passed for a"
        " minute or longer: it fails, hangs or is overdue.",
    )
