"""Engines: how many runs their stages have, how long these take, where the time goes, and how many fail."""

from manometer.catalogue import engine
from manometer.mixin.dashboards.meaning import RED_FROM_ANY, worst_from
from manometer.mixin.dashboards.panel import (
    COMING,
    PRESSURE,
    SINCE,
    WELL,
    Column,
    Dashboard,
    Graph,
    Heatmap,
    Key,
    Query,
    Row,
    Table,
    Variable,
)
from manometer.mixin.dashboards.query import alert_line, chosen, heat, per_second, quantile, shown
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import by, ratio, recorded, select
from manometer.mixin.rules import engine as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["CHOICE", "dashboard", "errors", "latency", "throughput"]

# Of a gauge: it has the same name where Prometheus holds histograms as native ones.
CHOICE = Variable("engine", "engine.name", "Engine", chosen(engine.STAGE_ACTIVE), "Engines of the targets.")
_STAGE_CHOICE = Variable(
    "stage",
    "engine.stage.name",
    "Stage",
    chosen(engine.STAGE_ACTIVE, {"engine.name": "=~$engine"}),
    "Stages of the engines.",
)

_STAGE = ("engine.name", "engine.stage.name")
_A_STAGE = f"{shown('engine.name')}/{shown('engine.stage.name')}"
_ENGINE = {"engine.name": "=~$engine"}
_CHOSEN = {**_ENGINE, "engine.stage.name": "=~$stage"}


def dashboard(config: Thresholds) -> Dashboard:
    """Each stage, from how often it runs to where its time goes."""
    return board(
        "engine",
        "Engine",
        "How often the stages of the engines run, how long they take, where the time goes, and how many fail.",
        (
            Row(WELL, (_stages(config), throughput(_CHOSEN), _latency(config), errors(config, _CHOSEN))),
            Row(PRESSURE, (_durations(), _time_spent(), _active(), _oldest())),
            Row(SINCE, (_error_types(), _outcomes(), _items())),
            Row(COMING, (_burn(config),)),
        ),
        (CHOICE, _STAGE_CHOICE),
    )


def throughput(chosen_stages: dict[str, str] = _ENGINE) -> Graph:
    """Runs of each stage."""
    return Graph(
        "Throughput",
        "Runs of each stage a second. A stage that falls behind the one before it is the bottleneck; all falling"
        " together means less work comes in.",
        "ops",
        (Query(per_second(engine.STAGE_DURATION, _STAGE, chosen_stages, "_count"), _A_STAGE),),
    )


def latency(config: Thresholds) -> Graph:
    """Duration of each stage, over all targets of a job: it reads what a rule records, which suits any number."""

    def recorded_quantile(series: str, name: str) -> Query:
        return Query(by(_STAGE, select(series, {"job": "=~$job", **_ENGINE}), "max"), f"{_A_STAGE} {name}")

    return Graph(
        "Latency",
        "How long half of the runs of a stage take at most (p50), and all but one in a hundred (p99), over five"
        " minutes and all targets of the job, whichever are chosen. A p99 that leaves its p50 behind points at"
        " waiting: compare with the pools.",
        "s",
        (
            recorded_quantile(rules.P50, "p50"),
            recorded_quantile(rules.P99, "p99"),
            alert_line("EngineLatencyHigh", "seconds"),
        ),
        steps=worst_from(config.engine.latency_seconds),
    )


def _latency(config: Thresholds) -> Graph:
    return Graph(
        "Latency",
        "How long half of the runs of a stage take at most (p50), and all but one in a hundred (p99), over the chosen"
        " targets. A p99 that leaves its p50 behind points at waiting: compare with the pools, and open an exemplar's"
        " trace.",
        "s",
        (
            quantile(0.5, engine.STAGE_DURATION, _STAGE, f"{_A_STAGE} p50", _CHOSEN),
            quantile(0.99, engine.STAGE_DURATION, _STAGE, f"{_A_STAGE} p99", _CHOSEN),
            alert_line("EngineLatencyHigh", "seconds"),
        ),
        steps=worst_from(config.engine.latency_seconds),
    )


def errors(config: Thresholds, chosen_stages: dict[str, str] = _ENGINE) -> Graph:
    """Share of each stage's runs that fail."""
    return Graph(
        "Errors",
        "Share of the runs of each stage that an exception ended. Above the line the error budget of a month"
        " lasts less than two days: see the runbook of EngineErrorBudgetBurn.",
        "percentunit",
        (Query(_failing(chosen_stages), _A_STAGE), alert_line("EngineErrorBudgetBurn", "ratio")),
        steps=worst_from(config.engine.burning_ratio),
    )


def _failing(chosen_stages: dict[str, str]) -> str:
    failed = per_second(engine.STAGE_DURATION, _STAGE, {"engine.stage.outcome": "error", **chosen_stages}, "_count")
    return ratio(failed, per_second(engine.STAGE_DURATION, _STAGE, chosen_stages, "_count"))


def _stages(config: Thresholds) -> Table:
    p50, p99 = (quantile(q, engine.STAGE_DURATION, _STAGE, "", _CHOSEN).expr for q in (0.5, 0.99))
    budget = config.engine.burning_ratio
    return Table(
        "Stages",
        "Each stage in one line. Sort by time spent to find what is worth making faster, by p99 to find what keeps"
        " callers waiting, and by errors to find what fails.",
        "none",
        (
            Column(per_second(engine.STAGE_DURATION, _STAGE, _CHOSEN, "_count"), "Runs/s", unit="ops"),
            Column(_failing(_CHOSEN), "Errors", unit="percentunit", steps=worst_from(budget)),
            Column(p50, "p50", unit="s"),
            Column(p99, "p99", unit="s", steps=worst_from(config.engine.latency_seconds)),
            Column(per_second(engine.STAGE_DURATION, _STAGE, _CHOSEN, "_sum"), "Time spent/s", unit="s"),
            Column(by(_STAGE, chosen(engine.STAGE_ACTIVE, _CHOSEN)), "In flight", unit="short"),
        ),
        width=24,
        keys=(Key("engine.name", "Engine"), Key("engine.stage.name", "Stage")),
        sort="Time spent/s",
    )


def _durations() -> Heatmap:
    return Heatmap(
        "Durations of runs",
        "How often each duration occurred, over the chosen stages. Choose one stage to read it: two bands are two"
        " kinds of run, such as hit and miss; a band that thins out upwards is waiting. Open an exemplar's trace.",
        "s",
        (heat(engine.STAGE_DURATION, _CHOSEN),),
        width=12,
        height=10,
    )


def _time_spent() -> Graph:
    return Graph(
        "Where the time goes",
        "Seconds that runs of each stage take each second. A stage that calls others has theirs within. The highest"
        " is the first to make faster, to cache or to give more workers.",
        "s",
        (Query(per_second(engine.STAGE_DURATION, _STAGE, _CHOSEN, "_sum"), _A_STAGE),),
        width=12,
        height=10,
    )


def _active() -> Graph:
    return Graph(
        "Runs in flight",
        "Runs of each stage that have begun and not ended. A line that climbs while the throughput stays is a stage"
        " that does not get its work done: see the runbook of StageStuck.",
        "short",
        (Query(by(_STAGE, chosen(engine.STAGE_ACTIVE, _CHOSEN)), _A_STAGE),),
        width=12,
        height=7,
    )


def _oldest() -> Graph:
    return Graph(
        "Oldest run under way",
        "Time since the oldest run of each stage that is under way has started. A line that climbs by a second each"
        " second is one run that does not get on: see the runbook of StageStuck. A saw is work.",
        "s",
        (Query(by(_STAGE, chosen(engine.STAGE_OLDEST_AGE, _CHOSEN), "max"), _A_STAGE),),
        width=12,
        height=7,
    )


def _error_types() -> Graph:
    legend = f"{_A_STAGE} {shown('error.type')}"
    return Graph(
        "Errors by type",
        "Runs a second that an exception ended, by its class. A new class after a deployment is the deployment's;"
        " time-outs and connection errors are somebody else's.",
        "ops",
        (Query(per_second(engine.STAGE_ERRORS, (*_STAGE, "error.type"), _CHOSEN), legend),),
        steps=RED_FROM_ANY,
        width=12,
    )


def _outcomes() -> Graph:
    outcomes = (*_STAGE, "engine.stage.outcome")
    return Graph(
        "Mean time by outcome",
        "How long a run takes on average when it succeeds and when it fails. Failures that take longer wait for a"
        " time-out; failures that take no time are refused at once, by a breaker or a check.",
        "s",
        (
            Query(
                f"{per_second(engine.STAGE_DURATION, outcomes, _CHOSEN, '_sum')}"
                f"\n/ ({per_second(engine.STAGE_DURATION, outcomes, _CHOSEN, '_count')} > 0)",
                f"{_A_STAGE} {shown('engine.stage.outcome')}",
            ),
        ),
        width=12,
    )


def _items() -> Graph:
    return Graph(
        "Items",
        "Items a second that runs of each stage went through, of stages that say how many there are. Beside the"
        " throughput it tells how large the batches are.",
        "ops",
        (Query(per_second(engine.STAGE_ITEMS, _STAGE, _CHOSEN), _A_STAGE),),
        width=24,
        height=7,
    )


def _burn(config: Thresholds) -> Graph:
    budget = config.engine.budget_ratio

    def burning(window: str) -> Query:
        name = recorded(("job", *_STAGE), engine.STAGE_ERRORS, f"ratio_rate{window}")
        burnt = select(name, {"job": "=~$job", **_CHOSEN})
        return Query(by(_STAGE, f"{burnt} / {budget:g}", "max"), f"{_A_STAGE} {window}")

    return Graph(
        "Pace at which the error budget is spent",
        "At 1 the budget of a month lasts the month; at 14.4 it is gone in two days. All targets of the job count"
        " together. A short window above a long one is a fault that has just begun; below, one that is over.",
        "none",
        (burning("1h"), burning("6h"), burning("3d")),
        steps=worst_from(1),
        width=24,
    )
