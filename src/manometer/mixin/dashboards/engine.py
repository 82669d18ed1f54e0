"""Engines: how many runs their stages have, how long these take, and how many fail."""

from manometer.catalogue import engine, resilience
from manometer.mixin.dashboards.panel import (
    RATE,
    Panel,
    Query,
    Variable,
    alert_line,
    chosen,
    quantile,
    shown,
    worst_from,
)
from manometer.mixin.promql import by, rate, ratio
from manometer.mixin.thresholds import Thresholds

__all__ = ["CHOICE", "panels"]

_RUNS = chosen(engine.STAGE_DURATION, part="_count")
CHOICE = Variable("engine", "engine.name", "Engine", _RUNS, "Engines of the targets.")

_STAGE = ("engine.name", "engine.stage.name")
_CHOSEN = {"engine.name": "=~$engine"}
_A_STAGE = f"{shown('engine.name')}/{shown('engine.stage.name')}"


def panels(config: Thresholds) -> tuple[Panel, ...]:
    """Rate, errors and duration of each stage."""
    limits = config.engine
    runs = by(_STAGE, rate(chosen(engine.STAGE_DURATION, _CHOSEN, "_count"), RATE))
    errors = chosen(engine.STAGE_DURATION, {"engine.stage.outcome": "error", **_CHOSEN}, "_count")
    failed = by(_STAGE, rate(errors, RATE))
    opened = chosen(resilience.BREAKER_STATE, {"breaker.state": "open"})
    return (
        Panel(
            "Throughput",
            "Runs of each stage a second. A stage that falls behind the one before it is the bottleneck; all falling"
            " together means less work comes in.",
            "ops",
            (Query(runs, _A_STAGE),),
            width=6,
        ),
        Panel(
            "Latency",
            "How long half of the runs of a stage take at most (p50), and all but one in a hundred (p99). A p99 that"
            " leaves its p50 behind points at waiting: compare with the pools below, and open an exemplar's trace.",
            "s",
            (
                quantile(0.5, engine.STAGE_DURATION, _STAGE, f"{_A_STAGE} p50", _CHOSEN),
                quantile(0.99, engine.STAGE_DURATION, _STAGE, f"{_A_STAGE} p99", _CHOSEN),
                alert_line("EngineLatencyHigh", "seconds"),
            ),
            steps=worst_from(limits.latency_seconds),
            width=6,
        ),
        Panel(
            "Errors",
            "Share of the runs of each stage that an exception ended. Above the line the error budget of a month"
            " lasts less than two days: see the runbook of EngineErrorBudgetBurn.",
            "percentunit",
            (Query(ratio(failed, runs), _A_STAGE), alert_line("EngineErrorBudgetBurn", "ratio")),
            steps=worst_from(round(14.4 * limits.budget_ratio, 9)),
            width=6,
        ),
        Panel(
            "Breakers open",
            "1 while a circuit breaker refuses calls. What stands behind it keeps failing: see the runbook of"
            " BreakerOpen.",
            "none",
            (Query(by(("breaker.name",), opened, "max"), shown("breaker.name")),),
            steps=worst_from(1),
            width=6,
            top=1,
        ),
    )
