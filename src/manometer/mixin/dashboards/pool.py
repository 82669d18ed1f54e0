"""Pools: how full they are, who waits, how much they reuse, and whether they will last."""

from manometer.catalogue import pool
from manometer.mixin.dashboards.panel import Panel, Query, Variable, alert_line, chosen, quantile, shown, worst_from
from manometer.mixin.promql import by, either
from manometer.mixin.rules import pool as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["CHOICE", "panels", "trend"]

CHOICE = Variable("pool", "pool.name", "Pool", chosen(pool.RESOURCES), "Pools of the targets.")

_POOL = ("pool.kind", "pool.name")
_CHOSEN = {"pool.name": "=~$pool"}
_A_POOL = f"{shown('pool.kind')} {shown('pool.name')}"


def panels(config: Thresholds) -> tuple[Panel, ...]:
    """Reuse, saturation, waiting and the work of workers."""
    limits = config.pool
    busy = chosen(rules.BUSY, {"pool.kind": "worker", **_CHOSEN})
    return (
        Panel(
            "Reuse of pooled resources",
            "Share of requests that got a resource that was there already. A low one means that resources are made"
            " and thrown away: keep more of them, or keep them longer.",
            "percentunit",
            (Query(by(_POOL, chosen(rules.REUSE, _CHOSEN), "min"), _A_POOL),),
            steps=((None, "orange"), (0.5, "green")),
            top=1,
        ),
        Panel(
            "Pool saturation",
            "Resources in use over the most that there may be, on five minutes' average. Near 1 requests wait: raise"
            " the limit, or shorten the use. Workers may be near 1 as long as nothing waits for them.",
            "percentunit",
            (
                Query(by(_POOL, chosen(rules.SATURATION_5M, _CHOSEN), "max"), _A_POOL),
                alert_line("PoolSaturated", "ratio"),
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
            (Query(by(_POOL, chosen(pool.PENDING_REQUESTS, _CHOSEN)), _A_POOL),),
            width=6,
        ),
        Panel(
            "Wait for a pool, p99",
            "How long all but one in a hundred requests wait at most for a resource. Compare with the latency of the"
            " stages that use the pool: this part of it is waiting.",
            "s",
            (
                quantile(0.99, pool.WAIT_DURATION, _POOL, _A_POOL, _CHOSEN),
                alert_line("PoolWaitHigh", "seconds"),
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


def trend(config: Thresholds) -> tuple[Panel, ...]:
    """Where the saturation leads, and how far to believe it."""
    limits = config.pool
    fit = by(_POOL, chosen(rules.FIT, _CHOSEN), "max")
    saturation = by(_POOL, chosen(rules.SATURATION_5M, _CHOSEN), "max")
    horizon, past = limits.forecast_horizon, limits.forecast_range
    return (
        Panel(
            f"Pool saturation in {horizon}",
            f"The saturation that the straight line through the last {past} reaches {horizon} from now. Above 1 the"
            " pool runs out, if the line fits: believe it only as far as the panel beside it says.",
            "percentunit",
            (
                Query(by(_POOL, chosen(rules.FORECAST, _CHOSEN), "max"), _A_POOL),
                alert_line("PoolExhaustionForecast", "ratio"),
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
    )
