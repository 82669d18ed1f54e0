"""Rules of retries and circuit breakers."""

from manometer.catalogue import resilience
from manometer.mixin.promql import TARGET, both, by, lately, rate, ratio, recorded, select, unless_gone
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold, told
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["EXHAUSTED_RATIO", "OPERATIONS", "REFUSED_RATIO", "groups"]

_BREAKER = (*TARGET, "breaker.name")
_OPERATION = (*TARGET, "retry.operation.name")

REFUSED_RATIO = recorded(_BREAKER, resilience.BREAKER_CALLS, "refused_ratio_rate5m")
OPERATIONS = recorded(_OPERATION, resilience.RETRY_ATTEMPTS, "ended_rate5m")
EXHAUSTED_RATIO = recorded(_OPERATION, resilience.RETRY_ATTEMPTS, "exhausted_ratio_rate5m")

_SELDOM = Duration("120s")  # for what no alert waits for


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of retries and breakers."""
    limits = config.resilience
    opened = lately("max", select(resilience.BREAKER_STATE, {"breaker.state": "open"}), config.lookback)
    calls = by(_BREAKER, rate(select(resilience.BREAKER_CALLS)))
    refused = by(_BREAKER, rate(select(resilience.BREAKER_CALLS, {"breaker.call.outcome": "rejected"})))
    # An attempt that is tried again is no end of the operation.
    ended = by(_OPERATION, rate(select(resilience.RETRY_ATTEMPTS, {"retry.attempt.outcome": "!=retried"})))
    exhausted = by(_OPERATION, rate(select(resilience.RETRY_ATTEMPTS, {"retry.attempt.outcome": "exhausted"})))
    return (
        Group("breakers-use", (Record(REFUSED_RATIO, ratio(refused, calls)),), interval=_SELDOM),
        Group(
            "breakers",
            (
                Alert(
                    name="BreakerOpen",
                    expr=unless_gone(f"{by(_BREAKER, opened, 'max')} > 0"),
                    severity=Severity.CRITICAL,
                    fires="a circuit breaker is open, or keeps opening again",
                    summary=f"Breaker {told('breaker.name')} of {told('job')} is open",
                    description=f"Breaker {told('breaker.name')} on {told('instance')} refuses calls because what"
                    " stands behind it kept failing.",
                ),
            ),
            fast=True,
        ),
        Group(
            "resilience",
            (
                Record(OPERATIONS, ended),
                Record(EXHAUSTED_RATIO, ratio(exhausted, OPERATIONS)),
                Alert(
                    name="RetriesExhausted",
                    expr=both(f"{EXHAUSTED_RATIO} > {limits.exhausted_ratio:g}", f"{OPERATIONS} > {limits.floor:g}"),
                    severity=Severity.WARNING,
                    fires=f"more than {limits.exhausted_ratio:.0%} of a retried operation fail for good",
                    summary=f"Retries of {told('retry.operation.name')} of {told('job')} run out",
                    description=f"{{{{ $value | humanizePercentage }}}} of the runs of {told('retry.operation.name')}"
                    f" on {told('instance')} failed in every attempt that they had.",
                    threshold=Threshold(limits.exhausted_ratio),
                ),
            ),
        ),
    )
