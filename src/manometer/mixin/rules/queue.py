"""Rules of queues: how full they are, how long items wait, and whether any are turned away."""

from manometer.catalogue import queue
from manometer.mixin.promql import (
    TARGET,
    WINDOW,
    both,
    by,
    either,
    increase,
    lately,
    over,
    rate,
    recorded,
    saturation,
    select,
    staying_over,
)
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold, told
from manometer.mixin.thresholds import Thresholds

__all__ = ["SATURATION_5M", "groups"]

_QUEUE = (*TARGET, "queue.name")

SATURATION = recorded(_QUEUE, queue.ITEMS, "saturation")
SATURATION_5M = recorded(_QUEUE, queue.ITEMS, "saturation_avg5m")


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of queues."""
    return (Group("queue", (*_records(), *_alerts(config))),)


def _records() -> tuple[Record, ...]:
    limit = by(_QUEUE, select(queue.ITEM_LIMIT), "max")
    return (
        Record(SATURATION, saturation(by(_QUEUE, select(queue.ITEMS)), limit)),
        Record(SATURATION_5M, over("avg", SATURATION, WINDOW)),
    )


def _alerts(config: Thresholds) -> tuple[Alert, ...]:
    limits = config.queue
    waiting = by(_QUEUE, over("avg", select(queue.ITEMS), WINDOW))
    fewest = by(_QUEUE, lately("min", select(queue.ITEMS), config.lookback))
    taken = by(_QUEUE, rate(select(queue.OPERATIONS, {"queue.operation.type": "get"})))
    refusals = select(queue.REJECTIONS)
    # At a scrape a minute a minute holds one, which tells no growth, and two hold two, unless one has failed.
    windows = (limits.refusals_window, f"{2 * limits.refusals_window.seconds}s", WINDOW)
    refused = either(*(by(_QUEUE, increase(refusals, window)) for window in windows))
    name, where = f"queue {told('queue.name')}", told("instance")
    return (
        Alert(
            name="QueueRefusals",
            expr=f"({refused}) > {limits.refusals:g}",
            severity=Severity.CRITICAL,
            fires=f"a full queue refused more than {limits.refusals:g} items in {limits.refusals_window}",
            summary=f"The {name} of {told('job')} refuses items",
            description=f"The {name} on {where} was full and refused items lately.",
            threshold=Threshold(limits.refusals, "items"),
        ),
        Alert(
            name="QueueSaturated",
            expr=f"{SATURATION_5M} > {limits.saturation_ratio:g}",
            severity=Severity.WARNING,
            fires=f"a queue is over {limits.saturation_ratio:.0%} full, on five minutes' average",
            summary=f"The {name} of {told('job')} is nearly full",
            description=f"The {name} on {where} has been {{{{ $value | humanizePercentage }}}} full for five minutes;"
            " whoever puts an item in waits or is refused, or soon will be.",
            threshold=Threshold(limits.saturation_ratio),
        ),
        Alert(
            name="QueueWaitHigh",
            expr=both(staying_over(limits.wait_seconds, waiting, taken), f"{fewest} >= 1"),
            severity=Severity.WARNING,
            fires=f"the items of a queue wait over {limits.wait_seconds:g} s, by its depth and the pace at which they"
            " are taken out, or none is taken out",
            summary=f"Items wait long in the {name} of {told('job')}",
            description=f'{{{{ $value | printf "%.0f" }}}} items wait in the {name} on {where}; at the pace at which'
            f" they are taken out, each waits longer than {limits.wait_seconds:g} s.",
            threshold=Threshold(limits.wait_seconds, "seconds"),
        ),
    )
