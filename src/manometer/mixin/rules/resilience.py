"""Rules of retries and circuit breakers."""

from manometer.catalogue import resilience
from manometer.mixin.promql import TARGET, both, by, over, rate, ratio, select
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold
from manometer.mixin.thresholds import Thresholds

__all__ = ["EXHAUSTED_RATIO", "OPERATIONS", "REFUSED_RATIO", "groups"]

_BREAKER = (*TARGET, "breaker")
_OPERATION = (*TARGET, "operation")

REFUSED_RATIO = f"job_instance_breaker:{resilience.BREAKER_CALLS.family_name}:refused_ratio_rate5m"
OPERATIONS = f"job_instance_operation:{resilience.RETRY_ATTEMPTS.family_name}:ended_rate5m"
EXHAUSTED_RATIO = f"job_instance_operation:{resilience.RETRY_ATTEMPTS.family_name}:exhausted_ratio_rate5m"


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of retries and breakers."""
    limits = config.resilience
    opened = over("max", select(resilience.BREAKER_STATE, state="open"), config.lookback)
    calls = by(_BREAKER, rate(select(resilience.BREAKER_CALLS)))
    refused = by(_BREAKER, rate(select(resilience.BREAKER_CALLS, outcome="rejected")))
    # An attempt that is tried again is no end of the operation.
    ended = by(_OPERATION, rate(select(resilience.RETRY_ATTEMPTS, outcome="!=retried")))
    exhausted = by(_OPERATION, rate(select(resilience.RETRY_ATTEMPTS, outcome="exhausted")))
    return (
        Group(
            "resilience",
            (
                Record(REFUSED_RATIO, ratio(refused, calls)),
                Record(OPERATIONS, ended),
                Record(EXHAUSTED_RATIO, ratio(exhausted, OPERATIONS)),
                Alert(
                    name="BreakerOpen",
                    expr=f"{by(_BREAKER, opened, 'max')} > 0",
                    severity=Severity.CRITICAL,
                    fires="a circuit breaker is open, or keeps opening again",
                    summary="Breaker {{ $labels.breaker }} of {{ $labels.job }} is open",
                    description="Breaker {{ $labels.breaker }} on {{ $labels.instance }} refuses calls because what"
                    " stands behind it kept failing.",
                ),
                Alert(
                    name="RetriesExhausted",
                    expr=both(f"{EXHAUSTED_RATIO} > {limits.exhausted_ratio:g}", f"{OPERATIONS} > {limits.floor:g}"),
                    severity=Severity.WARNING,
                    fires=f"more than {limits.exhausted_ratio:.0%} of a retried operation fail for good",
                    summary="Retries of {{ $labels.operation }} of {{ $labels.job }} run out",
                    description="{{ $value | humanizePercentage }} of the runs of {{ $labels.operation }} on"
                    " {{ $labels.instance }} failed in every attempt that they had.",
                    threshold=Threshold(limits.exhausted_ratio),
                ),
            ),
            fast=True,
        ),
    )
