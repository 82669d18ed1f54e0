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
    "LOOP_UNHANDLED_EXCEPTIONS",
    "SEMAPHORE_HOLD",
    "SEMAPHORE_LIMIT",
    "SEMAPHORE_PERMITS",
    "SEMAPHORE_WAIT",
    "SEMAPHORE_WAITERS",
    "SLOW_CALLBACKS",
    "SLOW_CALLBACK_SECONDS",
    "SPECS",
    "UNHANDLED_EXCEPTIONS",
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
    attributes=("asyncio.loop.name", "asyncio.task.state"),
    values={"asyncio.task.state": ("ready", "waiting")},
    reading=Reading.PULL,
    help="Tasks of the event loop that have not finished: those that run or could, and those that wait.",
)
SLOW_CALLBACK_SECONDS = 0.1
"""From so many seconds on, a callback or a step of a task is slow, as in asyncio's debug mode."""
SLOW_CALLBACKS = MetricSpec(
    name="asyncio.slow_callbacks",
    kind=Kind.COUNTER,
    unit="{callback}",
    attributes=("asyncio.loop.name", "code.function.name"),
    help="Callbacks and steps of tasks that were found to hold the event loop up for over 0.1 s, by their function.",
)
LOOP_UNHANDLED_EXCEPTIONS = MetricSpec(
    name="asyncio.unhandled_exceptions",
    kind=Kind.COUNTER,
    unit="{exception}",
    attributes=("asyncio.loop.name", "error.type"),
    help="Exceptions that reached the event loop's exception handler, as of tasks whose result nobody asked for.",
)
UNHANDLED_EXCEPTIONS = MetricSpec(
    name="python.unhandled_exceptions",
    kind=Kind.COUNTER,
    unit="{exception}",
    attributes=("python.exception.source", "error.type"),
    values={"python.exception.source": ("thread", "unraisable")},
    help="Exceptions that ended a thread, or that a finalizer or a callback of the interpreter could not raise.",
)
SEMAPHORE_PERMITS = MetricSpec(
    name="asyncio.semaphore.permits",
    kind=Kind.UPDOWNCOUNTER,
    unit="{permit}",
    attributes=("asyncio.semaphore.name",),
    reading=Reading.PULL,
    help="Permits of the semaphore that are held; a lock has one.",
)
SEMAPHORE_LIMIT = MetricSpec(
    name="asyncio.semaphore.permit.limit",
    kind=Kind.UPDOWNCOUNTER,
    unit="{permit}",
    attributes=("asyncio.semaphore.name",),
    reading=Reading.PULL,
    help="Permits of the semaphore that may be held at a time.",
)
SEMAPHORE_WAITERS = MetricSpec(
    name="asyncio.semaphore.waiters",
    kind=Kind.UPDOWNCOUNTER,
    unit="{task}",
    attributes=("asyncio.semaphore.name",),
    reading=Reading.PULL,
    help="Tasks that wait for a permit of the semaphore.",
)
SEMAPHORE_WAIT = MetricSpec(
    name="asyncio.semaphore.wait.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=("asyncio.semaphore.name",),
    buckets=WAIT_BUCKETS,
    help="Time that a task waited for a permit of the semaphore, in vain too.",
)
SEMAPHORE_HOLD = MetricSpec(
    name="asyncio.semaphore.hold.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=("asyncio.semaphore.name",),
    buckets=WAIT_BUCKETS,
    help="Time that a task held a permit of the semaphore.",
)

SPECS = (
    *(GC_COLLECTIONS, GC_COLLECTED, GC_UNCOLLECTABLE, GC_PAUSE, UNHANDLED_EXCEPTIONS),
    *(LOOP_LAG, LOOP_TASKS, SLOW_CALLBACKS, LOOP_UNHANDLED_EXCEPTIONS),
    *(SEMAPHORE_PERMITS, SEMAPHORE_LIMIT, SEMAPHORE_WAITERS, SEMAPHORE_WAIT, SEMAPHORE_HOLD),
)
