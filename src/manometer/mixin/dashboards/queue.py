"""Queues: how full they are, what goes in and comes out, how long items wait, and how many are refused."""

from manometer.catalogue import queue
from manometer.mixin.dashboards.meaning import RED_FROM_ANY, WORRY, worst_from
from manometer.mixin.dashboards.panel import Bars, Column, Graph, Heatmap, Key, Query, Table, Variable
from manometer.mixin.dashboards.query import alert_line, chosen, heat, per_second, quantile, shown
from manometer.mixin.promql import by
from manometer.mixin.rules import queue as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["CHOICE", "backlog", "depth", "flow", "full", "refusals", "table", "wait", "waits"]

CHOICE = Variable("queue", "queue.name", "Queue", chosen(queue.ITEMS), "Queues of the targets.")

_QUEUE = ("queue.name",)
_CHOSEN = {"queue.name": "=~$queue"}
_A_QUEUE = shown("queue.name")


def full(config: Thresholds) -> Bars:
    """How full each queue is now."""
    return Bars(
        "How full each queue is",
        "Items over the most that the queue takes, on five minutes' average; a queue without a limit has no bar. Red"
        " is the threshold of QueueSaturated: whoever puts an item in waits, or soon will.",
        "percentunit",
        (Query(by(_QUEUE, chosen(rules.SATURATION_5M, _CHOSEN), "max"), _A_QUEUE),),
        steps=worst_from(config.queue.saturation_ratio),
        top=1,
    )


def depth() -> Graph:
    """Items in each queue."""
    return Graph(
        "Queue depth",
        "Items that wait in each queue, and the most that it takes where it has a limit. A depth that comes and"
        " goes evens out bursts, which is what a queue is for; one that stays near the limit means that too"
        " little is taken out: see the runbook of QueueSaturated.",
        "short",
        (
            Query(by(_QUEUE, chosen(queue.ITEMS, _CHOSEN)), _A_QUEUE),
            Query(by(_QUEUE, chosen(queue.ITEM_LIMIT, _CHOSEN)), f"{_A_QUEUE} limit", limit=True),
        ),
    )


def flow() -> Graph:
    """What goes in and comes out."""
    return Graph(
        "Queue puts and gets",
        "Items that go into each queue a second, and that come out. More puts than gets fill it; equal ones at a"
        " depth that stays are a backlog that nobody catches up with.",
        "ops",
        (Query(_a_second("put"), f"{_A_QUEUE} puts"), Query(_a_second("get"), f"{_A_QUEUE} gets")),
        width=12,
    )


def wait(config: Thresholds) -> Graph:
    """How long items wait."""
    return Graph(
        "Wait in a queue",
        "How long half of the items wait at most (p50), and all but one in a hundred (p99). An item counts when"
        " it is taken out: a queue that nobody empties has no line here, and a depth that grows. Above the line"
        " of QueueWaitHigh add takers, or let less in.",
        "s",
        (
            quantile(0.5, queue.WAIT_DURATION, _QUEUE, f"{_A_QUEUE} p50", _CHOSEN),
            quantile(0.99, queue.WAIT_DURATION, _QUEUE, f"{_A_QUEUE} p99", _CHOSEN),
            alert_line("QueueWaitHigh", "seconds"),
        ),
        steps=worst_from(config.queue.wait_seconds),
    )


def waits() -> Heatmap:
    """How often each wait occurred."""
    return Heatmap(
        "Durations of waits in a queue",
        "How long items had waited when they were taken out, over the chosen queues. A band that climbs is a queue"
        " that is emptied too slowly.",
        "s",
        (heat(queue.WAIT_DURATION, _CHOSEN),),
    )


def refusals() -> Graph:
    """Items that a full queue refused."""
    return Graph(
        "Queue refusals",
        "Items that each queue refused a second because it was full, at once or after a time-out. Each is work"
        " that somebody has to do again, or that is lost: see the runbook of QueueRefusals.",
        "ops",
        (Query(per_second(queue.REJECTIONS, _QUEUE, _CHOSEN), _A_QUEUE),),
        steps=RED_FROM_ANY,
    )


def table(config: Thresholds) -> Table:
    """Each queue in one line."""
    fullest = by(_QUEUE, chosen(rules.SATURATION_5M, _CHOSEN), "max")
    p99 = quantile(0.99, queue.WAIT_DURATION, _QUEUE, "", _CHOSEN).expr
    return Table(
        "Queues",
        "Each queue in one line, over all chosen targets. Sort by items to find where work piles up, and by wait to"
        " find where it grows old.",
        "none",
        (
            Column(by(_QUEUE, chosen(queue.ITEMS, _CHOSEN)), "Items", unit="short"),
            Column(fullest, "Fullest", unit="percentunit", steps=worst_from(config.queue.saturation_ratio)),
            Column(_a_second("put"), "Puts/s", unit="ops"),
            Column(_a_second("get"), "Gets/s", unit="ops"),
            Column(p99, "Wait p99", unit="s", steps=worst_from(config.queue.wait_seconds)),
        ),
        width=24,
        height=6,
        keys=(Key("queue.name", "Queue"),),
        sort="Items",
    )


def backlog() -> Graph:
    """When a queue will be empty."""
    return Graph(
        "Time until the queues are empty",
        "Items over items taken out a second: how long an item that comes now will wait. Where it grows minute by"
        " minute, the queue is never emptied: add takers, or let less in.",
        "s",
        (Query(f"{by(_QUEUE, chosen(queue.ITEMS, _CHOSEN))}\n/ ({_a_second('get')} > 0)", _A_QUEUE),),
        steps=((None, "green"), (60, WORRY)),
        width=12,
    )


def _a_second(operation: str) -> str:
    return per_second(queue.OPERATIONS, _QUEUE, {"queue.operation.type": operation, **_CHOSEN})
