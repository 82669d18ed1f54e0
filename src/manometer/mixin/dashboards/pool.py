"""Pools of connections and objects: how full they are, who waits, how much they reuse, and whether they will last."""

from collections.abc import Iterable
from dataclasses import replace

from manometer.catalogue import pool
from manometer.mixin.dashboards.meaning import BAD, NOTE, QUIET, RED_FROM_ANY, WORRY, worst_from
from manometer.mixin.dashboards.panel import (
    COMING,
    PRESSURE,
    SINCE,
    WELL,
    Bars,
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
from manometer.mixin.promql import by, either
from manometer.mixin.rules import pool as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["CHOICE", "dashboard", "forecast", "saturation", "waiting"]

CHOICE = Variable("pool", "pool.name", "Pool", chosen(pool.RESOURCES), "Pools of the targets.")

_POOL = ("pool.kind", "pool.name")
_ANY = {"pool.name": "=~$pool"}
_CHOSEN = {"pool.kind": "!=worker", **_ANY}
_A_POOL = f"{shown('pool.kind')} {shown('pool.name')}"


def dashboard(config: Thresholds) -> Dashboard:
    """Whether the pools are large enough, and for how long."""
    not_workers = chosen(pool.RESOURCES, {"pool.kind": "!=worker"})
    return board(
        "pool",
        "Pools",
        "How full the pools of connections and objects are, who waits for them, how much they reuse, and for how"
        " long they will last. Pools of workers have a dashboard of their own.",
        (
            Row(WELL, (_saturation_bars(config), _refusals(), _reuse(), _pools(config))),
            Row(PRESSURE, (*_wide(saturation(config, _CHOSEN), waiting(_CHOSEN)), _waits(), _wait_time(config))),
            Row(SINCE, (_resources(), _use_time(), _created(), _create_time())),
            Row(COMING, (forecast(config, _CHOSEN), _fit(config, _CHOSEN))),
        ),
        (Variable("pool", "pool.name", "Pool", not_workers, CHOICE.description),),
    )


def _wide(*panels: Graph) -> Iterable[Graph]:
    return (replace(panel, width=12) for panel in panels)


def _saturation_bars(config: Thresholds) -> Bars:
    return Bars(
        "How full each pool is",
        "Resources in use over the most that there may be, on five minutes' average. Red is the threshold of"
        " PoolSaturated: raise the limit, or shorten the use.",
        "percentunit",
        (Query(by(_POOL, chosen(rules.SATURATION_5M, _CHOSEN), "max"), _A_POOL),),
        steps=((None, "green"), (config.pool.forecast_ratio, WORRY), (config.pool.saturation_ratio, BAD)),
        top=1,
    )


def saturation(config: Thresholds, pools: dict[str, str] = _ANY) -> Graph:
    """How full each pool is, over time."""
    return Graph(
        "Pool saturation",
        "Resources in use over the most that there may be, on five minutes' average. Near 1 requests wait: raise"
        " the limit, or shorten the use. Workers may be near 1 as long as nothing waits for them.",
        "percentunit",
        (
            Query(by(_POOL, chosen(rules.SATURATION_5M, pools), "max"), _A_POOL),
            alert_line("PoolSaturated", "ratio"),
        ),
        steps=worst_from(config.pool.saturation_ratio),
        top=1,
    )


def waiting(pools: dict[str, str] = _ANY) -> Graph:
    """Who waits for a pool now."""
    return Graph(
        "Waiting for a pool",
        "Requests that wait for a resource now; for workers, queued tasks. A line that only rises will end in"
        " time-outs: more comes in than the pool can serve.",
        "short",
        (Query(by(_POOL, chosen(pool.PENDING_REQUESTS, pools)), _A_POOL),),
    )


def forecast(config: Thresholds, pools: dict[str, str] = _ANY) -> Graph:
    """Where the saturation leads."""
    horizon, past = config.pool.forecast_horizon, config.pool.forecast_range
    return Graph(
        f"Pool saturation in {horizon}",
        f"The saturation that the straight line through the last {past} reaches {horizon} from now, where such a line"
        " fits and the past is no step; otherwise the saturation of now. Above 1 the pool runs out.",
        "percentunit",
        (
            Query(by(_POOL, chosen(rules.FORECAST, pools), "max"), _A_POOL),
            alert_line("PoolExhaustionForecast", "ratio"),
        ),
        steps=worst_from(1),
        top=1,
        width=12,
    )


def _fit(config: Thresholds, pools: dict[str, str]) -> Graph:
    fit = by(_POOL, chosen(rules.FIT, pools), "max")
    level = by(_POOL, chosen(rules.SATURATION_5M, pools), "max")
    return Graph(
        "Fit of the saturation's trend",
        "R-squared: the share of a pool's ups and downs that a straight line explains. Near 0 there is no trend,"
        " or no movement at all, and the forecast means nothing beyond what is.",
        "percentunit",
        (Query(either(fit, f"0 * {level}"), _A_POOL),),
        steps=((None, QUIET), (config.pool.forecast_fit_ratio, WORRY)),
        top=1,
        width=12,
    )


def _refusals() -> Graph:
    return Graph(
        "Requests turned away",
        "Requests a second that gave up waiting, and those refused at once. Each is a caller that went without: see"
        " the runbook of PoolTimeouts.",
        "ops",
        (
            Query(per_second(pool.TIMEOUTS, _POOL, _CHOSEN), f"{_A_POOL} timed out"),
            Query(per_second(pool.REJECTIONS, _POOL, _CHOSEN), f"{_A_POOL} refused"),
        ),
        steps=RED_FROM_ANY,
    )


def _reuse() -> Graph:
    return Graph(
        "Reuse of pooled resources",
        "Share of requests that got a resource that was there already. A low one means that resources are made"
        " and thrown away: keep more of them, or keep them longer.",
        "percentunit",
        (Query(by(_POOL, chosen(rules.REUSE, _CHOSEN), "min"), _A_POOL),),
        steps=((None, WORRY), (0.5, "green")),
        top=1,
    )


def _pools(config: Thresholds) -> Table:
    used = by(_POOL, chosen(pool.RESOURCES, {"pool.resource.state": "used", **_CHOSEN}))
    p99 = quantile(0.99, pool.WAIT_DURATION, _POOL, "", _CHOSEN).expr
    return Table(
        "Pools",
        "Each pool in one line, over all chosen targets. Sort by wait to find the one that callers feel, and by"
        " handed out to see whether it matters.",
        "none",
        (
            Column(used, "Used", unit="short"),
            Column(by(_POOL, chosen(pool.RESOURCE_LIMIT, _CHOSEN)), "Limit", unit="short"),
            Column(
                by(_POOL, chosen(rules.SATURATION_5M, _CHOSEN), "max"),
                "Fullest",
                unit="percentunit",
                steps=worst_from(config.pool.saturation_ratio),
            ),
            Column(by(_POOL, chosen(pool.PENDING_REQUESTS, _CHOSEN)), "Waiting", unit="short"),
            Column(p99, "Wait p99", unit="s", steps=worst_from(config.pool.wait_seconds)),
            Column(per_second(pool.ACQUISITIONS, _POOL, _CHOSEN), "Handed out/s", unit="ops"),
            Column(by(_POOL, chosen(rules.REUSE, _CHOSEN), "min"), "Reused", unit="percentunit"),
        ),
        width=24,
        keys=(Key("pool.kind", "Kind"), Key("pool.name", "Pool")),
        sort="Wait p99",
    )


def _waits() -> Heatmap:
    return Heatmap(
        "Durations of waits",
        "How long requests waited for a resource, over the chosen pools. Most belong at the bottom; a second band"
        " above are those that found the pool empty, or that had to open a connection.",
        "s",
        (heat(pool.WAIT_DURATION, _CHOSEN),),
        width=12,
    )


def _wait_time(config: Thresholds) -> Graph:
    return Graph(
        "Wait for a pool, p99",
        "How long all but one in a hundred requests wait at most for a resource. Compare with the latency of the"
        " stages that use the pool: this part of it is waiting.",
        "s",
        (quantile(0.99, pool.WAIT_DURATION, _POOL, _A_POOL, _CHOSEN), alert_line("PoolWaitHigh", "seconds")),
        steps=worst_from(config.pool.wait_seconds),
        width=12,
    )


def _resources() -> Graph:
    def held(state: str, color: str) -> Query:
        found = chosen(pool.RESOURCES, {"pool.resource.state": state, **_CHOSEN})
        return Query(by(_POOL, found), f"{_A_POOL} {state}", color=color)

    return Graph(
        "Resources",
        "What the pools hold, used and idle, and the most that they may. Choose one pool to read it. Used at the"
        " limit is a full pool; idle ones that nobody uses for hours are too many.",
        "short",
        (
            held("used", WORRY),
            held("idle", NOTE),
            Query(by(_POOL, chosen(pool.RESOURCE_LIMIT, _CHOSEN)), f"{_A_POOL} limit", limit=True),
            Query(by(_POOL, chosen(pool.IDLE_LIMIT, _CHOSEN)), f"{_A_POOL} most idle", limit=True),
            Query(by(_POOL, chosen(pool.IDLE_MINIMUM, _CHOSEN)), f"{_A_POOL} least idle", limit=True),
        ),
        width=12,
        stacked=True,
    )


def _use_time() -> Graph:
    return Graph(
        "Time in use",
        "How long half of the uses of a resource last at most (p50), and all but one in a hundred (p99). A pool is"
        " as large as requests times this: halve the use, and half the pool does.",
        "s",
        (
            quantile(0.5, pool.USE_DURATION, _POOL, f"{_A_POOL} p50", _CHOSEN),
            quantile(0.99, pool.USE_DURATION, _POOL, f"{_A_POOL} p99", _CHOSEN),
        ),
        width=12,
    )


def _created() -> Graph:
    sources = (*_POOL, "pool.acquisition.source")
    legend = f"{_A_POOL} {shown('pool.acquisition.source')}"
    return Graph(
        "Resources handed out",
        "Requests served a second, by whether the resource was there or was made. Ones that are made all the time"
        " are thrown away too early: raise what the pool keeps idle.",
        "ops",
        (Query(per_second(pool.ACQUISITIONS, sources, _CHOSEN), legend),),
        width=12,
    )


def _create_time() -> Graph:
    return Graph(
        "Time to make a resource",
        "How long half of the new resources take to make at most (p50), and all but one in a hundred (p99). For"
        " connections this is the other side's answer and the network: one that climbs is theirs to explain.",
        "s",
        (
            quantile(0.5, pool.CREATE_DURATION, _POOL, f"{_A_POOL} p50", _CHOSEN),
            quantile(0.99, pool.CREATE_DURATION, _POOL, f"{_A_POOL} p99", _CHOSEN),
        ),
        width=12,
    )
