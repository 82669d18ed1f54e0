"""Rules of analytics: one template that finds the trend, the forecast and the anomaly of every signal."""

from manometer.mixin.promql import any_of, either, select
from manometer.mixin.rules.analytics import anomaly, trend
from manometer.mixin.rules.analytics.family import ANOMALY, GRAIN, VALUE
from manometer.mixin.rules.analytics.signals import signals
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold, told
from manometer.mixin.thresholds import Thresholds

__all__ = ["groups"]


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of analytics: the signals, then what is made of all of them at once."""
    found = signals(config)
    return (
        Group(
            "analytics",
            (
                *(Record(VALUE, signal.expr, {"signal": signal.name}) for signal in found),
                *(Record(GRAIN, f"vector({signal.grain:g})", {"signal": signal.name}) for signal in found),
                *trend.records(config),
                *anomaly.records(config),
                _unusual(config),
            ),
            interval=config.analytics.interval,
        ),
    )


def _unusual(config: Thresholds) -> Alert:
    limit = config.analytics.anomaly
    low = any_of(signal.name for signal in signals(config) if signal.low)
    return Alert(
        name="SignalUnusual",
        expr=either(f"{ANOMALY} > {limit:g}", f"{select(ANOMALY, {'signal': low})} < -{limit:g}"),
        severity=Severity.INFO,
        fires=f"a signal of a job is more than {limit:g} robust standard deviations from what is usual at this time"
        " of the day and week, on the bad side",
        summary=f"{told('signal')} of {told('job')} is unusual",
        description=f'The signal {told("signal")} of {told("job")} is {{{{ $value | printf "%.1f" }}}} robust'
        " standard deviations from what it was at this time yesterday and last week; before there is such a past,"
        " from its level of the last day.",
        threshold=Threshold(limit, "deviations"),
    )
