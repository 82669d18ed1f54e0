"""What is measured of a queue."""

from manometer.catalogue.spec import WAIT_BUCKETS, Kind, MetricSpec, Reading

__all__ = ["ITEMS", "ITEM_LIMIT", "OPERATIONS", "REJECTIONS", "SPECS", "WAIT_DURATION"]

ITEMS = MetricSpec(
    name="queue.items",
    kind=Kind.UPDOWNCOUNTER,
    unit="{item}",
    attributes=("queue.name",),
    reading=Reading.PULL,
    help="Items that wait in the queue: its depth.",
)
ITEM_LIMIT = MetricSpec(
    name="queue.item.limit",
    kind=Kind.UPDOWNCOUNTER,
    unit="{item}",
    attributes=("queue.name",),
    reading=Reading.PULL,
    help="Items that the queue takes at most; absent where it has no limit.",
)
OPERATIONS = MetricSpec(
    name="queue.operations",
    kind=Kind.COUNTER,
    unit="{operation}",
    attributes=("queue.name", "queue.operation.type"),
    values={"queue.operation.type": ("put", "get")},
    help="Items put into the queue, and items taken out of it.",
)
REJECTIONS = MetricSpec(
    name="queue.rejections",
    kind=Kind.COUNTER,
    unit="{item}",
    attributes=("queue.name",),
    help="Items that the queue refused because it was full, at once or after a time-out.",
)
WAIT_DURATION = MetricSpec(
    name="queue.wait.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=("queue.name",),
    buckets=WAIT_BUCKETS,
    help="Time that an item waited in the queue, from its put to its get.",
)

SPECS = (ITEMS, ITEM_LIMIT, OPERATIONS, REJECTIONS, WAIT_DURATION)
