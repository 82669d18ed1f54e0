"""Rules of engines: rate, errors and duration of each stage, and how fast the error budget burns."""

from manometer.catalogue import engine, label
from manometer.mixin.histograms import buckets, events, share_over, slow
from manometer.mixin.promql import (
    TARGET,
    WINDOW,
    any_of,
    both,
    by,
    either,
    none_of,
    over,
    recorded,
    select,
    staying_over,
)
from manometer.mixin.rules.precedence import unpromised, untold
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold, told
from manometer.mixin.slo.burn import DAYS, FAST, HOURS, MONTH, SLOW, burning, error_share, known
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["ERROR_RATIO", "P50", "P99", "RUNS", "SLOW_RATIO", "groups", "promised"]

_STAGE = (*TARGET, "engine.name", "engine.stage.name")
_SERVICE = ("job", "engine.name", "engine.stage.name")

RUNS = recorded(_STAGE, engine.STAGE_DURATION, "rate5m")
ERROR_RATIO = recorded(_STAGE, engine.STAGE_ERRORS, "ratio_rate5m")
_ERRORS = recorded(_STAGE, engine.STAGE_ERRORS, "rate5m")
SLOW_RATIO = recorded(_STAGE, engine.STAGE_DURATION, "slow_ratio_rate5m")

_BUCKETS = recorded(_SERVICE, engine.STAGE_DURATION, "buckets_rate5m")
P50 = recorded(_SERVICE, engine.STAGE_DURATION, "p50_rate5m")
P99 = recorded(_SERVICE, engine.STAGE_DURATION, "p99_rate5m")
_SERVICE_RUNS = recorded(_SERVICE, engine.STAGE_DURATION, "rate5m")
_SERVICE_ERRORS = recorded(_SERVICE, engine.STAGE_ERRORS, "rate5m")

_WINDOWS = tuple(sorted((*HOURS, *DAYS), key=lambda window: window.seconds))
_LONG = tuple(pace.long for pace in (*FAST, *SLOW))

_FOR_TICKETS = Duration("120s")  # about single targets: the lines of a thousand are many
_SELDOM = Duration("240s")  # for what reads every bucket of every target


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of engines."""
    return (
        Group("engine", (*_stages(), *_burn(config), *_burn_alerts(config))),
        Group("engine-stages", (_slow(config), *_alerts(config)), interval=_FOR_TICKETS),
        Group("engine-quantiles", _quantiles(), interval=_SELDOM),
    )


def promised(config: Thresholds) -> dict[str, str]:
    """The matcher of the stages that a latency is promised of."""
    waiting = config.engine.waiting_stages
    return {"engine.stage.name": none_of(waiting)} if waiting else {}


def _stages() -> tuple[Record, ...]:
    failed = events(engine.STAGE_DURATION, _STAGE, {"engine.stage.outcome": "error"})
    return (
        Record(RUNS, events(engine.STAGE_DURATION, _STAGE)),
        Record(_ERRORS, f"{failed}\nor 0 * {RUNS}"),
        Record(ERROR_RATIO, f"{_ERRORS} / ({RUNS} > 0)"),
    )


def _slow(config: Thresholds) -> Record:
    return Record(SLOW_RATIO, share_over(engine.STAGE_DURATION, config.engine.latency_seconds, _STAGE, RUNS))


def _quantiles() -> tuple[Record, ...]:
    """Of all targets together, so that the buckets of a thousand are added up once, and few figures are kept of them.

    A quantile of nothing is NaN, and the comparison leaves that out.
    """
    return (
        Record(_BUCKETS, buckets(engine.STAGE_DURATION, _SERVICE)),
        *(Record(name, f"histogram_quantile({q}, {_BUCKETS}) >= 0") for q, name in ((0.5, P50), (0.99, P99))),
    )


def _burn(config: Thresholds) -> tuple[Record, ...]:
    """Share of failed runs over each window; and as if none had failed before there were figures."""
    return (
        Record(_SERVICE_RUNS, by(_SERVICE, RUNS)),
        Record(_SERVICE_ERRORS, by(_SERVICE, _ERRORS)),
        *(Record(_service_ratio(each), error_share(_SERVICE_ERRORS, _SERVICE_RUNS, each)) for each in _WINDOWS),
        *(
            Record(_service_spent(each), f"{_service_ratio(each)}\n* {known(_SERVICE_RUNS, each, config.interval)}")
            for each in _LONG
        ),
    )


def _burn_alerts(config: Thresholds) -> tuple[Alert, ...]:
    limits = config.engine
    stage = f"{told('engine.name')}/{told('engine.stage.name')}"
    failing = (
        f"{{{{ $value | humanizePercentage }}}} of the runs of {stage} fail; {_percent(limits.budget_ratio)} may."
    )
    return (
        Alert(
            name="EngineErrorBudgetBurn",
            variant="fast",
            expr=unpromised(
                both(
                    burning(FAST, MONTH, _failed, limits.budget_ratio),
                    f"{_SERVICE_RUNS} > {limits.floor:g}",
                    # The longer of the short windows still holds the failures of half an hour ago.
                    f"{_service_ratio('5m')} > {limits.budget_ratio:g}",
                    f"on ({', '.join(map(label, _SERVICE))}) ({untold(f'{ERROR_RATIO} > {limits.budget_ratio:g}')})",
                ),
                Severity.CRITICAL.value,
            ),
            severity=Severity.CRITICAL,
            fires=f"a stage spends a month's error budget, {_percent(limits.budget_ratio)}, in five days or less"
            " (14.4 times the budget over 1 h, or 6 times over 6 h)",
            summary=f"Stage {stage} of {told('job')} fails fast",
            description=f"{failing} At this pace the error budget of a month is gone within five days.",
            threshold=Threshold(limits.burning_ratio),
        ),
        Alert(
            name="EngineErrorBudgetBurn",
            variant="slow",
            expr=unpromised(
                both(
                    burning(SLOW, MONTH, _failed, limits.budget_ratio),
                    f"{over('avg', _SERVICE_RUNS, '2h')} > {limits.floor:g}",
                )
            ),
            severity=Severity.WARNING,
            fires=f"a stage spends a month's error budget, {_percent(limits.budget_ratio)}, before the month ends"
            " (3 times the budget over a day, or all of it over three)",
            summary=f"Stage {stage} of {told('job')} fails more than it may",
            description=f"{failing} At this pace the error budget of the month will not last.",
        ),
    )


def _alerts(config: Thresholds) -> tuple[Alert, ...]:
    limits = config.engine
    stage = f"{told('engine.name')}/{told('engine.stage.name')}"
    window = limits.stuck_window
    inside = by(_STAGE, over("avg", select(engine.STAGE_ACTIVE), window))
    fewest = by(_STAGE, over("min", select(engine.STAGE_ACTIVE), window))
    done = RUNS if window == WINDOW else events(engine.STAGE_DURATION, _STAGE, window=window)
    return (
        Alert(
            name="StageStuck",
            expr=either(
                both(staying_over(limits.stuck_seconds, inside, done), f"{fewest} >= 1"),
                *_overdue(config),
            ),
            severity=Severity.WARNING,
            fires=f"the runs inside a stage stay over {limits.stuck_seconds:g} s, or none ends; or a person that one"
            f" of `waiting_stages` waits for took over {limits.waiting_seconds:g} s to answer more than"
            f" {limits.overdue:g} times in five minutes",
            summary=f"Runs of {stage} of {told('job')} are stuck",
            description=f'{{{{ $value | printf "%.0f" }}}} runs of {stage} on {told("instance")} stay longer'
            " than they should, if they end at all.",
            threshold=Threshold(limits.stuck_seconds, "seconds"),
        ),
        Alert(
            name="EngineLatencyHigh",
            expr=both(
                f"{select(SLOW_RATIO, promised(config))} > {limits.slow_ratio:g}", f"{RUNS} > {limits.floor:g}"
            ),
            severity=Severity.WARNING,
            fires=f"more than {limits.slow_ratio:.0%} of a stage's runs take over {limits.latency_seconds:g} s",
            summary=f"Stage {stage} of {told('job')} is slow",
            description=f"{{{{ $value | humanizePercentage }}}} of the runs of {stage} on {told('instance')}"
            f" took longer than {limits.latency_seconds:g} s.",
            threshold=Threshold(limits.latency_seconds, "seconds"),
        ),
    )


def _overdue(config: Thresholds) -> tuple[str, ...]:
    """Late answers of stages that wait for a person; nothing where there are no such stages."""
    limits = config.engine
    if not limits.waiting_stages:
        return ()
    waiting = {"engine.stage.name": any_of(limits.waiting_stages)}
    late = slow(engine.STAGE_DURATION, limits.waiting_seconds, _STAGE, waiting)
    return (f"{Duration(WINDOW).seconds} * {late} > {limits.overdue:g}",)


def _failed(window: Duration) -> str:
    """The recorded share of failed runs that an alert looks at."""
    return _service_spent(window) if window in _LONG else _service_ratio(window)


def _service_ratio(window: str) -> str:
    return recorded(_SERVICE, engine.STAGE_ERRORS, f"ratio_rate{window}")


def _service_spent(window: str) -> str:
    return recorded(_SERVICE, engine.STAGE_ERRORS, f"spent_ratio_rate{window}")


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.4g}%"
