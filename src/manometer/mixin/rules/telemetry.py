"""Rules of what a program sends away: figures, spans and log lines that do not arrive."""

from collections.abc import Mapping
from types import MappingProxyType

from manometer.catalogue import MetricSpec, self_metrics
from manometer.mixin.promql import TARGET, WINDOW, any_of, by, increase, recorded, select
from manometer.mixin.rules.rule import Alert, Record, Severity, told

__all__ = ["LOST", "rules"]

LOST = recorded(TARGET, "manometer_lost", f"increase{WINDOW}")
"""What did not arrive in five minutes, where anything was lost. Its label `signal` says what."""

_LOSSES: Mapping[str, tuple[MetricSpec, Mapping[str, str]]] = MappingProxyType(
    {
        **{
            signal: (counter, {counter.attributes[0]: any_of(("rejected", "error"))})
            for signal, counter in (
                ("points", self_metrics.POINTS),
                ("spans", self_metrics.SPANS),
                ("log_records", self_metrics.LOG_RECORDS),
            )
        },
        "log_lines": (self_metrics.LOG_FAILURES, {}),
    }
)
"""What counts the losses of each signal. Traces over their limit are no loss: the setting wants it so.

A handover is not here. It is the last thing that a program does, so nobody scrapes the count of one that failed.
"""


def rules() -> tuple[Record | Alert, ...]:
    """The rules of what does not arrive."""
    return (*map(_lost, _LOSSES), _alert())


def _lost(signal: str) -> Record:
    counter, matchers = _LOSSES[signal]
    return Record(LOST, f"{by(TARGET, increase(select(counter, matchers)))} > 0", {"signal": signal})


def _alert() -> Alert:
    return Alert(
        name="TelemetryLost",
        expr=LOST,
        severity=Severity.WARNING,
        fires="figures, spans or log records sent over OTLP do not arrive or are rejected, or log lines cannot be"
        " written, for longer than a short outage of the receiver",
        summary=f"{told('job')} loses {told('signal')}",
        description=f'{{{{ $value | printf "%.0f" }}}} {told("signal")} of {told("instance")} did not arrive in five'
        " minutes: their receiver is away or rejects them, or the log cannot be written where the settings say.",
    )
