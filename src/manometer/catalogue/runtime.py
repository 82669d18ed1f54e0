"""What is measured of the Python runtime."""

from manometer.catalogue.spec import FAST_BUCKETS, WAIT_BUCKETS, Convention, Kind, MetricSpec, Reading

__all__ = [
    "GC_COLLECTED",
    "GC_COLLECTIONS",
    "GC_PAUSE",
    "GC_UNCOLLECTABLE",
    "LOOP_LAG",
    "LOOP_LAG_EVERY",
    "LOOP_TASKS",
    "SPECS",
]

_GENERATION = ("cpython.gc.generation",)
_GENERATIONS = {"cpython.gc.generation": ("0", "1", "2")}

GC_COLLECTIONS = MetricSpec(
    name="cpython.gc.collections",
    kind=Kind.COUNTER,
    unit="{collection}",
    attributes=_GENERATION,
    values=_GENERATIONS,
    reading=Reading.PULL,
    convention=Convention.SEMCONV,
    help="Collections of the cyclic garbage collector.",
)
GC_COLLECTED = MetricSpec(
    name="cpython.gc.collected_objects",
    kind=Kind.COUNTER,
    unit="{object}",
    attributes=_GENERATION,
    values=_GENERATIONS,
    reading=Reading.PULL,
    convention=Convention.SEMCONV,
    help="Objects that the cyclic garbage collector freed.",
)
GC_UNCOLLECTABLE = MetricSpec(
    name="cpython.gc.uncollectable_objects",
    kind=Kind.COUNTER,
    unit="{object}",
    attributes=_GENERATION,
    values=_GENERATIONS,
    reading=Reading.PULL,
    convention=Convention.SEMCONV,
    help="Objects that the cyclic garbage collector found in cycles and could not free.",
)
GC_PAUSE = MetricSpec(
    name="python.gc.pause",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=_GENERATION,
    values=_GENERATIONS,
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
LOOP_LAG_EVERY = 0.1
"""Seconds from one observation of a loop's lag until the next timer is due."""
LOOP_TASKS = MetricSpec(
    name="asyncio.tasks",
    kind=Kind.UPDOWNCOUNTER,
    unit="{task}",
    attributes=("asyncio.loop.name",),
    reading=Reading.PULL,
    help="Tasks of the event loop that have not finished.",
)

SPECS = (GC_COLLECTIONS, GC_COLLECTED, GC_UNCOLLECTABLE, GC_PAUSE, LOOP_LAG, LOOP_TASKS)
