"""What is measured of retries and circuit breakers."""

from manometer.catalogue.spec import Across, Kind, MetricSpec, Reading

__all__ = ["BREAKER_CALLS", "BREAKER_STATE", "BREAKER_TRANSITIONS", "RETRY_ATTEMPTS", "SPECS"]

_STATES = ("closed", "open", "half_open")

RETRY_ATTEMPTS = MetricSpec(
    name="retry.attempts",
    kind=Kind.COUNTER,
    unit="{attempt}",
    attributes=("retry.operation.name", "retry.attempt.outcome"),
    values={"retry.attempt.outcome": ("ok", "retried", "exhausted")},
    help="Attempts of the operation: it succeeded, failed and is tried again, or failed for good.",
)
BREAKER_STATE = MetricSpec(
    name="breaker.state",
    kind=Kind.UPDOWNCOUNTER,
    unit="{state}",
    attributes=("breaker.name", "breaker.state"),
    values={"breaker.state": _STATES},
    reading=Reading.PULL,
    across=Across.MAX,
    help="1 for the state that the breaker is in, 0 for the others.",
)
BREAKER_CALLS = MetricSpec(
    name="breaker.calls",
    kind=Kind.COUNTER,
    unit="{call}",
    attributes=("breaker.name", "breaker.call.outcome"),
    values={"breaker.call.outcome": ("ok", "error", "rejected")},
    help="Calls through the breaker; a rejected one was refused because the breaker was open.",
)
BREAKER_TRANSITIONS = MetricSpec(
    name="breaker.transitions",
    kind=Kind.COUNTER,
    unit="{transition}",
    attributes=("breaker.name", "breaker.state"),
    values={"breaker.state": _STATES},
    help="Changes of the breaker's state, by the state it went to.",
)

SPECS = (RETRY_ATTEMPTS, BREAKER_STATE, BREAKER_CALLS, BREAKER_TRANSITIONS)
