"""Rules of starts: a program, or its workers, that start again and again."""

from manometer.catalogue import process, self_metrics
from manometer.mixin.promql import TARGET, both, by, either, over, recorded, select
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold
from manometer.mixin.thresholds import Thresholds

__all__ = ["RESTARTS", "groups"]

_WINDOW = "10m"
_BEGAN = "process_start_time_seconds"

_PROCESSES = recorded(TARGET, process.UPTIME, "count")
_MOST = recorded(TARGET, process.UPTIME, f"count_max{_WINDOW}")
RESTARTS = recorded(TARGET, process.UPTIME, f"restarts{_WINDOW}")
"""How often each process of a program started again in ten minutes, on average."""


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of starts."""
    return (Group("restarts", (*_records(), *_alerts(config))),)


def _records() -> tuple[Record, ...]:
    ours = over("count", select(self_metrics.COLLECT_DURATION, {"manometer.collector.name": "process"}), _WINDOW)
    # A series is a process id. One process has one life in it, and another each time that its age falls.
    lives = f"{by(TARGET, f'1 + resets({select(process.UPTIME)}[{_WINDOW}])')}\n/ {_MOST} - 1"
    # An age that is greater than that of the life before is no fall. When a program began tells each start; a group's
    # processes do not say so.
    began = both(by(TARGET, f"changes({select(_BEGAN)}[{_WINDOW}])", "max"), f"{_MOST} == 1")
    return (
        Record(_PROCESSES, by(TARGET, select(process.UPTIME), "count")),
        Record(_MOST, over("max", _PROCESSES, _WINDOW)),
        Record(RESTARTS, both(f"({either(began, lives)})", f"on (job, instance) {by(TARGET, ours, 'max')}")),
    )


def _alerts(config: Thresholds) -> tuple[Alert, ...]:
    limit = config.runtime.restarts
    often = f"{RESTARTS} >= {limit:g}"
    return (
        Alert(
            name="CrashLooping",
            variant="program",
            expr=both(often, f"{_MOST} == 1"),
            severity=Severity.CRITICAL,
            fires=f"a program started again {limit:g} times or more in {_WINDOW}",
            summary="{{ $labels.job }} starts again and again",
            description='{{ $labels.instance }} started again {{ $value | printf "%.0f" }} times in ten minutes: it'
            " ends soon after each start.",
            threshold=Threshold(limit, "restarts"),
        ),
        Alert(
            name="CrashLooping",
            variant="workers",
            expr=both(often, f"{_MOST} > 1"),
            severity=Severity.WARNING,
            fires=f"the processes of a program started again {limit:g} times or more in {_WINDOW}, on average",
            summary="Workers of {{ $labels.job }} start again and again",
            description='Each process of {{ $labels.instance }} started again {{ $value | printf "%.1f" }} times in'
            " ten minutes, on average: they end soon after each start.",
        ),
    )
