"""The overview: how well a program does, what its caches, pools and queues carry, and where that leads."""

from manometer.catalogue import cache, engine, pool, process, queue, resilience, self_metrics
from manometer.mixin.dashboards.panel import (
    RATE,
    SELECTED,
    Dashboard,
    Panel,
    Query,
    Row,
    Stat,
    Variable,
    chosen,
    shown,
    worst_from,
)
from manometer.mixin.promql import TARGET, both, by, either, over, rate, ratio, select
from manometer.mixin.rules import cache as cache_rules
from manometer.mixin.rules import pool as pool_rules
from manometer.mixin.rules import runtime as runtime_rules
from manometer.mixin.rules import score
from manometer.mixin.thresholds import Thresholds

__all__ = ["overview"]

_STAGE = ("engine.name", "engine.stage.name")
_POOL = ("pool.kind", "pool.name")
_ENGINES = {"engine.name": "=~$engine"}
_CACHES = {"cache.name": "=~$cache"}
_POOLS = {"pool.name": "=~$pool"}
_QUEUES = {"queue.name": "=~$queue"}

_A_STAGE = f"{shown('engine.name')}/{shown('engine.stage.name')}"
_A_CACHE = shown("cache.name")
_A_POOL = f"{shown('pool.kind')} {shown('pool.name')}"
_A_QUEUE = shown("queue.name")
_A_TARGET = shown("instance")


def overview(config: Thresholds) -> Dashboard:
    """The dashboard that the others are reached from."""
    return Dashboard(
        uid="manometer-overview",
        title="Manometer / Overview",
        description="How well a program does, what its caches, pools and queues carry, and where that leads.",
        variables=_variables(),
        rows=(
            Row("Overview", (*_state(config), *_requests(config))),
            Row("Use", (*_caches(config), *_pools(config), *_queues(config), *_process(config))),
            Row("Trend", _trend(config)),
        ),
    )


def _variables() -> tuple[Variable, ...]:
    carried = self_metrics.SERIES  # by every target that has Manometer
    of_job = select(carried, {"job": "=~$job"})
    runs = chosen(engine.STAGE_DURATION, part="_count")
    return (
        Variable("job", "job", "Job", select(carried), "Scrape jobs whose targets carry Manometer.", closed=True),
        Variable("instance", "instance", "Instance", of_job, "Targets of the job.", closed=True),
        Variable("engine", "engine.name", "Engine", runs, "Engines of the targets."),
        Variable("cache", "cache.name", "Cache", chosen(cache.REQUESTS), "Caches of the targets."),
        Variable("pool", "pool.name", "Pool", chosen(pool.RESOURCES), "Pools of the targets."),
        Variable("queue", "queue.name", "Queue", chosen(queue.ITEMS), "Queues of the targets."),
    )


def _state(config: Thresholds) -> tuple[Panel, ...]:
    colors = {"A": "green", "B": "light-green", "C": "yellow", "D": "orange", "F": "red"}
    names = {start: (letter, colors[letter[0]]) for letter, start in config.score.grades.items()}
    return (
        Stat(
            "Grade",
            "The lowest score of the chosen targets, as a letter: A+ is best, F is worst. Below B, look at the panel"
            " beside it for the dimension that pulls it down.",
            "percentunit",
            (Query(f"min({chosen(score.SCORE)})", "score"),),
            steps=((None, "red"), (config.score.grades["D"], "yellow"), (config.score.grades["A-"], "green")),
            width=4,
            names=names,
        ),
        Stat(
            "Targets up",
            "Share of the chosen targets that Prometheus can scrape. Below 100 % some of what is here is not current,"
            " or is missing: start with the runbook of TargetDown.",
            "percentunit",
            (Query(f"avg({chosen('up')})", "up"),),
            steps=((None, "red"), (1, "green")),
            width=4,
        ),
        *(_firing(severity, color) for severity, color in (("critical", "red"), ("warning", "orange"))),
        _score(),
    )


def _firing(severity: str, color: str) -> Stat:
    # An alert about a whole job has no instance.
    about = {label: f"{matcher}|" for label, matcher in SELECTED.items()}
    firing = select("ALERTS", {"alertstate": "firing", "severity": severity, **about})
    return Stat(
        f"Alerts: {severity}",
        f"Alerts of severity {severity} that fire for the chosen targets. Open Alertmanager for their names; each"
        " links a runbook.",
        "none",
        (Query(f"count({firing}) or vector(0)", severity),),
        steps=((None, "green"), (1, color)),
        width=4,
    )


def _score() -> Panel:
    return Panel(
        "Score",
        "Errors, latency, saturation and cache from 0 (as bad as counts) to 1 (nothing wrong), and their weighted"
        " geometric mean. The lowest line is where to look first; a dimension without figures has no line.",
        "percentunit",
        (
            Query(f"min({chosen(score.SCORE)})", "score"),
            Query(by(("dimension",), chosen(score.DIMENSION), "min"), shown("dimension")),
        ),
        steps=((None, "red"), (0.6, "yellow"), (0.9, "green")),
        top=1,
    )


def _requests(config: Thresholds) -> tuple[Panel, ...]:
    limits = config.engine
    runs = by(_STAGE, rate(chosen(engine.STAGE_DURATION, _ENGINES, "_count"), RATE))
    errors = chosen(engine.STAGE_DURATION, {"engine.stage.outcome": "error", **_ENGINES}, "_count")
    failed = by(_STAGE, rate(errors, RATE))
    opened = chosen(resilience.BREAKER_STATE, {"breaker.state": "open"})
    buckets = by((*_STAGE, "le"), rate(chosen(engine.STAGE_DURATION, _ENGINES, "_bucket"), RATE))
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
                *(
                    Query(
                        both(f"histogram_quantile({quantile}, {buckets})", f"{runs} > 0"),
                        f"{_A_STAGE} {name}",
                        exemplars=True,
                    )
                    for quantile, name in ((0.5, "p50"), (0.99, "p99"))
                ),
                _limit("EngineLatencyHigh", "seconds"),
            ),
            steps=worst_from(limits.latency_seconds),
            width=6,
        ),
        Panel(
            "Errors",
            "Share of the runs of each stage that an exception ended. Above the line the error budget of a month"
            " lasts less than two days: see the runbook of EngineErrorBudgetBurn.",
            "percentunit",
            (Query(ratio(failed, runs), _A_STAGE), _limit("EngineErrorBudgetBurn", "ratio")),
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


def _caches(config: Thresholds) -> tuple[Panel, ...]:
    lookups = by(("cache.name",), rate(chosen(cache.REQUESTS, _CACHES), RATE))
    hits = by(("cache.name",), rate(chosen(cache.REQUESTS, {"cache.request.type": "hit", **_CACHES}), RATE))
    return (
        Panel(
            "Cache hit ratio",
            "Share of lookups that the cache answered. A fall after a deployment is a cold cache and passes; one that"
            " stays means that the cache is too small, expires too early, or is asked for other keys.",
            "percentunit",
            (Query(ratio(hits, lookups), _A_CACHE), _limit("CacheHitRatioLow", "ratio")),
            steps=worst_from(config.cache.hit_ratio, low=True),
            top=1,
        ),
        Panel(
            "Time saved by caches",
            "Seconds of loading that hits save each second: hits times what a load costs. A cache at the bottom is"
            " hardly worth its memory.",
            "s",
            (Query(by(("cache.name",), chosen(cache_rules.SAVED, _CACHES)), _A_CACHE),),
        ),
        Panel(
            "Reuse of pooled resources",
            "Share of requests that got a resource that was there already. A low one means that resources are made"
            " and thrown away: keep more of them, or keep them longer.",
            "percentunit",
            (Query(by(_POOL, chosen(pool_rules.REUSE, _POOLS), "min"), _A_POOL),),
            steps=((None, "orange"), (0.5, "green")),
            top=1,
        ),
    )


def _pools(config: Thresholds) -> tuple[Panel, ...]:
    limits = config.pool
    busy = chosen(pool_rules.BUSY, {"pool.kind": "worker", **_POOLS})
    waits = by(_POOL, rate(chosen(pool.WAIT_DURATION, _POOLS, "_count"), RATE))
    buckets = by((*_POOL, "le"), rate(chosen(pool.WAIT_DURATION, _POOLS, "_bucket"), RATE))
    return (
        Panel(
            "Pool saturation",
            "Resources in use over the most that there may be, on five minutes' average. Near 1 requests wait: raise"
            " the limit, or shorten the use. Workers may be near 1 as long as nothing waits for them.",
            "percentunit",
            (
                Query(by(_POOL, chosen(pool_rules.SATURATION_5M, _POOLS), "max"), _A_POOL),
                _limit("PoolSaturated", "ratio"),
            ),
            steps=worst_from(limits.saturation_ratio),
            top=1,
            width=6,
        ),
        Panel(
            "Waiting",
            "Requests that wait for a resource now; for workers, queued tasks. A line that only rises will end in"
            " time-outs: more comes in than the pool can serve.",
            "short",
            (Query(by(_POOL, chosen(pool.PENDING_REQUESTS, _POOLS)), _A_POOL),),
            width=6,
        ),
        Panel(
            "Wait for a pool, p99",
            "How long all but one in a hundred requests wait at most for a resource. Compare with the latency of the"
            " stages that use the pool: this part of it is waiting.",
            "s",
            (
                Query(both(f"histogram_quantile(0.99, {buckets})", f"{waits} > 0"), _A_POOL, exemplars=True),
                _limit("PoolWaitHigh", "seconds"),
            ),
            steps=worst_from(limits.wait_seconds),
            width=6,
        ),
        Panel(
            "Worker efficiency",
            "Time that the threads of each pool ran tasks, over the time that there was: threads times seconds. Near"
            " 0 there are more threads than work; near 1 with a queue beside it, more work than threads.",
            "percentunit",
            (Query(by(("pool.name",), busy, "max"), shown("pool.name")),),
            top=1,
            width=6,
        ),
    )


def _queues(config: Thresholds) -> tuple[Panel, ...]:
    def a_second(operation: str) -> str:
        done = chosen(queue.OPERATIONS, {"queue.operation.type": operation, **_QUEUES})
        return by(("queue.name",), rate(done, RATE))

    waits = by(("queue.name",), rate(chosen(queue.WAIT_DURATION, _QUEUES, "_count"), RATE))
    buckets = by(("queue.name", "le"), rate(chosen(queue.WAIT_DURATION, _QUEUES, "_bucket"), RATE))
    return (
        Panel(
            "Queue depth",
            "Items that wait in each queue, and the most that it takes where it has a limit. A depth that comes and"
            " goes evens out bursts, which is what a queue is for; one that stays near the limit means that too"
            " little is taken out: see the runbook of QueueSaturated.",
            "short",
            (
                Query(by(("queue.name",), chosen(queue.ITEMS, _QUEUES)), _A_QUEUE),
                Query(by(("queue.name",), chosen(queue.ITEM_LIMIT, _QUEUES)), f"{_A_QUEUE} limit", limit=True),
            ),
            width=6,
        ),
        Panel(
            "Queue puts and gets",
            "Items that go into each queue a second, and that come out. More puts than gets fill it; equal ones at a"
            " depth that stays are a backlog that nobody catches up with.",
            "ops",
            (Query(a_second("put"), f"{_A_QUEUE} puts"), Query(a_second("get"), f"{_A_QUEUE} gets")),
            width=6,
        ),
        Panel(
            "Wait in a queue",
            "How long half of the items wait at most (p50), and all but one in a hundred (p99). An item counts when"
            " it is taken out: a queue that nobody empties has no line here, and a depth that grows. Above the line"
            " of QueueWaitHigh add takers, or let less in.",
            "s",
            (
                *(
                    Query(
                        both(f"histogram_quantile({quantile}, {buckets})", f"{waits} > 0"),
                        f"{_A_QUEUE} {name}",
                        exemplars=True,
                    )
                    for quantile, name in ((0.5, "p50"), (0.99, "p99"))
                ),
                _limit("QueueWaitHigh", "seconds"),
            ),
            steps=worst_from(config.queue.wait_seconds),
            width=6,
        ),
        Panel(
            "Queue refusals",
            "Items that each queue refused a second because it was full, at once or after a time-out. Each is work"
            " that somebody has to do again, or that is lost: see the runbook of QueueRefusals.",
            "ops",
            (Query(by(("queue.name",), rate(chosen(queue.REJECTIONS, _QUEUES), RATE)), _A_QUEUE),),
            steps=((None, "green"), (1e-9, "red")),
            width=6,
        ),
    )


def _process(config: Thresholds) -> tuple[Panel, ...]:
    limits = config.runtime
    return (
        Panel(
            "Memory",
            "Resident memory of each process. Steps that come back are load; a floor that keeps rising is a leak,"
            " which the trend below shows sooner.",
            "decbytes",
            (Query(chosen(process.MEMORY_USAGE), _A_TARGET), _limit("MemoryHigh", "bytes")),
            steps=worst_from(limits.memory_bytes),
            width=12,
        ),
        Panel(
            "Processor",
            "Processors that each process keeps busy. Near 1 a Python program has no more to give, and everything in"
            " it waits: spread the load over more processes.",
            "suffix: cores",
            (
                Query(by(TARGET, rate(chosen(process.CPU_TIME), RATE)), _A_TARGET),
                _limit("CpuHigh", "cores"),
            ),
            steps=worst_from(limits.cpu_cores),
            width=12,
        ),
    )


def _trend(config: Thresholds) -> tuple[Panel, ...]:
    limits = config.pool
    floor = chosen(runtime_rules.MEMORY_FLOOR)
    fit = by(_POOL, chosen(pool_rules.FIT, _POOLS), "max")
    saturation = by(_POOL, chosen(pool_rules.SATURATION_5M, _POOLS), "max")
    horizon, past = limits.forecast_horizon, limits.forecast_range
    return (
        Panel(
            f"Pool saturation in {horizon}",
            f"The saturation that the straight line through the last {past} reaches {horizon} from now. Above 1 the"
            " pool runs out, if the line fits: believe it only as far as the panel beside it says.",
            "percentunit",
            (
                Query(by(_POOL, chosen(pool_rules.FORECAST, _POOLS), "max"), _A_POOL),
                _limit("PoolExhaustionForecast", "ratio"),
            ),
            steps=worst_from(1),
            top=1,
        ),
        Panel(
            "Fit of the saturation's trend",
            "R-squared: the share of a pool's ups and downs that a straight line explains. Near 0 there is no trend,"
            " or no movement at all, and the forecast means nothing beyond what is.",
            "percentunit",
            (Query(either(fit, f"0 * {saturation}"), _A_POOL),),
            steps=((None, "text"), (limits.forecast_fit_ratio, "orange")),
            top=1,
        ),
        Panel(
            f"Memory floor, and in {horizon}",
            f"The least memory of any ten minutes, and where the straight line through its last {past} leads"
            f" {horizon} from now. A forecast that stays above the floor for hours is a leak: see the"
            " runbook of MemoryLeak.",
            "decbytes",
            (
                Query(floor, f"{_A_TARGET} floor"),
                Query(
                    f"clamp_min(predict_linear({floor}[{past}], {horizon.seconds}), 0)",
                    f"{_A_TARGET} in {horizon}",
                ),
                _limit("MemoryHigh", "bytes"),
            ),
            steps=worst_from(config.runtime.memory_bytes),
        ),
    )


def _limit(alert: str, unit: str) -> Query:
    """The line that the alert draws. It goes by what is in force, whatever these dashboards were rendered with."""
    threshold = select(f"manometer:threshold:{unit}", {"alert": alert})
    return Query(f"max({over('last', threshold, '5m')})", alert, limit=True)
