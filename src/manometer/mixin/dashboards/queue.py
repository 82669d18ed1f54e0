"""Queues: how full they are, what goes in and comes out, how long items wait, and how many are refused."""

from manometer.catalogue import queue
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
from manometer.mixin.promql import by, rate
from manometer.mixin.thresholds import Thresholds

__all__ = ["CHOICE", "panels"]

CHOICE = Variable("queue", "queue.name", "Queue", chosen(queue.ITEMS), "Queues of the targets.")

_QUEUE = ("queue.name",)
_CHOSEN = {"queue.name": "=~$queue"}
_A_QUEUE = shown("queue.name")


def panels(config: Thresholds) -> tuple[Panel, ...]:
    """Depth, rates, waits and refusals."""

    def a_second(operation: str) -> str:
        done = chosen(queue.OPERATIONS, {"queue.operation.type": operation, **_CHOSEN})
        return by(_QUEUE, rate(done, RATE))

    return (
        Panel(
            "Queue depth",
            "Items that wait in each queue, and the most that it takes where it has a limit. A depth that comes and"
            " goes evens out bursts, which is what a queue is for; one that stays near the limit means that too"
            " little is taken out: see the runbook of QueueSaturated.",
            "short",
            (
                Query(by(_QUEUE, chosen(queue.ITEMS, _CHOSEN)), _A_QUEUE),
                Query(by(_QUEUE, chosen(queue.ITEM_LIMIT, _CHOSEN)), f"{_A_QUEUE} limit", limit=True),
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
                quantile(0.5, queue.WAIT_DURATION, _QUEUE, f"{_A_QUEUE} p50", _CHOSEN),
                quantile(0.99, queue.WAIT_DURATION, _QUEUE, f"{_A_QUEUE} p99", _CHOSEN),
                alert_line("QueueWaitHigh", "seconds"),
            ),
            steps=worst_from(config.queue.wait_seconds),
            width=6,
        ),
        Panel(
            "Queue refusals",
            "Items that each queue refused a second because it was full, at once or after a time-out. Each is work"
            " that somebody has to do again, or that is lost: see the runbook of QueueRefusals.",
            "ops",
            (Query(by(_QUEUE, rate(chosen(queue.REJECTIONS, _CHOSEN), RATE)), _A_QUEUE),),
            steps=((None, "green"), (1e-9, "red")),
            width=6,
        ),
    )
