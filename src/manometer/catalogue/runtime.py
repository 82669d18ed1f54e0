"""What is measured of the Python runtime, beside prometheus-client's own collectors."""

from manometer.catalogue.spec import FAST_BUCKETS, WAIT_BUCKETS, Kind, MetricSpec, Reading

__all__ = ["GC_PAUSE", "LOOP_LAG", "LOOP_TASKS", "SPECS"]

GC_PAUSE = MetricSpec(
    name="python.gc.pause",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=("cpython.gc.generation",),
    values={"cpython.gc.generation": ("0", "1", "2")},
    buckets=FAST_BUCKETS,
    help="Time that the program stood still for a collection of the cyclic garbage collector.",
)
LOOP_LAG = MetricSpec(
    name="asyncio.loop.lag",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=("asyncio.loop.name",),
    buckets=WAIT_BUCKETS,
    help="How much later than asked the event loop ran a timer: what every task on it waits.",
)
LOOP_TASKS = MetricSpec(
    name="asyncio.tasks",
    kind=Kind.UPDOWNCOUNTER,
    unit="{task}",
    attributes=("asyncio.loop.name",),
    reading=Reading.PULL,
    help="Tasks of the event loop that have not finished.",
)

SPECS = (GC_PAUSE, LOOP_LAG, LOOP_TASKS)
