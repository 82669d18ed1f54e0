"""Workers and the queues before them: how busy they are, what waits, how long, and when it will be done."""

from manometer.catalogue import pool
from manometer.mixin.dashboards import queue as queues
from manometer.mixin.dashboards.meaning import NOTE, WORRY, worst_from
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
from manometer.mixin.promql import by
from manometer.mixin.rules import pool as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]

_WORKERS = ("pool.name",)
_KIND = {"pool.kind": "worker"}
_CHOSEN = {**_KIND, "pool.name": "=~$pool"}
_NAME = shown("pool.name")


def dashboard(config: Thresholds) -> Dashboard:
    """Whether there are enough workers for what comes in."""
    return board(
        "workers",
        "Workers and queues",
        "How busy the workers are, what waits for them in pools and queues, how long, and when that will be done.",
        (
            Row(WELL, (_busy(), queues.full(config), queues.refusals(), _pools(config), queues.table(config))),
            Row(
                PRESSURE,
                (_queued(), _queue_wait(config), _waits(), queues.depth(), queues.wait(config), queues.waits()),
            ),
            Row(SINCE, (_threads(), _tasks(), _run_time(), queues.flow())),
            Row(COMING, (_backlog(), queues.backlog())),
        ),
        (
            Variable(
                "pool", "pool.name", "Workers", chosen(pool.RESOURCES, _KIND), "Pools of workers of the targets."
            ),
            queues.CHOICE,
        ),
    )


def _busy() -> Bars:
    return Bars(
        "How busy the workers are",
        "Time that the threads of each pool ran tasks, over the time that there was: threads times seconds. Near"
        " 0 there are more threads than work; near 1 with tasks queued, more work than threads.",
        "percentunit",
        (Query(by(_WORKERS, chosen(rules.BUSY, _CHOSEN), "max"), _NAME),),
        top=1,
    )


def _pools(config: Thresholds) -> Table:
    used = by(_WORKERS, chosen(pool.RESOURCES, {"pool.resource.state": "used", **_CHOSEN}))
    p99 = quantile(0.99, pool.WAIT_DURATION, _WORKERS, "", _CHOSEN).expr
    return Table(
        "Pools of workers",
        "Each pool in one line, over all chosen targets. Sort by queued to find where work piles up, and by run time"
        " to find what keeps the workers.",
        "none",
        (
            Column(used, "Running", unit="short"),
            Column(by(_WORKERS, chosen(pool.RESOURCE_LIMIT, _CHOSEN)), "Threads at most", unit="short"),
            Column(by(_WORKERS, chosen(rules.BUSY, _CHOSEN), "max"), "Busiest", unit="percentunit"),
            Column(by(_WORKERS, chosen(pool.PENDING_REQUESTS, _CHOSEN)), "Queued", unit="short"),
            Column(p99, "Wait p99", unit="s", steps=worst_from(config.pool.wait_seconds)),
            Column(quantile(0.99, pool.USE_DURATION, _WORKERS, "", _CHOSEN).expr, "Run time p99", unit="s"),
            Column(per_second(pool.USE_DURATION, _WORKERS, _CHOSEN, "_count"), "Tasks/s", unit="ops"),
        ),
        width=24,
        height=6,
        keys=(Key("pool.name", "Workers"),),
        sort="Queued",
    )


def _queued() -> Graph:
    return Graph(
        "Queued tasks",
        "Tasks that wait for a thread. A queue that comes and goes evens out bursts; one that only grows is more work"
        " than the workers can do: add some, or let less in.",
        "short",
        (Query(by(_WORKERS, chosen(pool.PENDING_REQUESTS, _CHOSEN)), _NAME),),
    )


def _queue_wait(config: Thresholds) -> Graph:
    return Graph(
        "Wait for a worker",
        "How long half of the tasks wait for a thread at most (p50), and all but one in a hundred (p99). This part of"
        " a caller's time nobody works on.",
        "s",
        (
            quantile(0.5, pool.WAIT_DURATION, _WORKERS, f"{_NAME} p50", _CHOSEN),
            quantile(0.99, pool.WAIT_DURATION, _WORKERS, f"{_NAME} p99", _CHOSEN),
            alert_line("PoolWaitHigh", "seconds"),
        ),
        steps=worst_from(config.pool.wait_seconds),
    )


def _waits() -> Heatmap:
    return Heatmap(
        "Durations of waits for a worker",
        "How long tasks waited for a thread, over the chosen pools. A band that climbs is a queue that grows.",
        "s",
        (heat(pool.WAIT_DURATION, _CHOSEN),),
    )


def _threads() -> Graph:
    def held(state: str, word: str, color: str) -> Query:
        found = chosen(pool.RESOURCES, {"pool.resource.state": state, **_CHOSEN})
        return Query(by(_WORKERS, found), f"{_NAME} {word}", color=color)

    return Graph(
        "Threads",
        "Threads that run a task, those that wait for one, and the most that there may be. Choose one pool to read"
        " it. Busy up to the limit with nothing queued is as it should be.",
        "short",
        (
            held("used", "busy", WORRY),
            held("idle", "idle", NOTE),
            Query(by(_WORKERS, chosen(pool.RESOURCE_LIMIT, _CHOSEN)), f"{_NAME} limit", limit=True),
        ),
        width=12,
        stacked=True,
    )


def _tasks() -> Graph:
    return Graph(
        "Tasks done",
        "Tasks that ended a second. Compare with the queued ones: more done is more work, fewer done with more queued"
        " is slower work.",
        "ops",
        (Query(per_second(pool.USE_DURATION, _WORKERS, _CHOSEN, "_count"), _NAME),),
        width=12,
    )


def _run_time() -> Heatmap:
    return Heatmap(
        "Durations of tasks",
        "How long tasks ran, over the chosen pools. A band that climbs is work that got slower; a second band far"
        " above the first is a kind of task that should have workers of its own.",
        "s",
        (heat(pool.USE_DURATION, _CHOSEN),),
        width=12,
    )


def _backlog() -> Graph:
    waiting = by(_WORKERS, chosen(pool.PENDING_REQUESTS, _CHOSEN))
    return Graph(
        "Time until the queued tasks are done",
        "Queued tasks over tasks done a second: how long a task that comes now will wait. Where it grows minute by"
        " minute, it is never done: more comes in than is worked off.",
        "s",
        (Query(f"{waiting}\n/ ({per_second(pool.USE_DURATION, _WORKERS, _CHOSEN, '_count')} > 0)", _NAME),),
        width=12,
    )
