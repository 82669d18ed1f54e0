"""The Python runtime: the process, its garbage collector, its event loops."""

from manometer.catalogue import runtime
from manometer.mixin.dashboards import process
from manometer.mixin.dashboards.meaning import RED_FROM_ANY, WORRY, worst_from
from manometer.mixin.dashboards.panel import COMING, PRESSURE, SINCE, WELL, Dashboard, Graph, Heatmap, Query, Row
from manometer.mixin.dashboards.query import alert_line, chosen, heat, highest, per_second, quantile, shown
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import TARGET, by
from manometer.mixin.rules import runtime as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]

_LOOP = ("asyncio.loop.name",)
_A_LOOP = shown("asyncio.loop.name")
_SEMAPHORE = ("asyncio.semaphore.name",)
_A_SEMAPHORE = shown("asyncio.semaphore.name")
_GENERATION = ("cpython.gc.generation",)
_A_GENERATION = f"generation {shown('cpython.gc.generation')}"


def dashboard(config: Thresholds) -> Dashboard:
    """What the interpreter itself costs."""
    return board(
        "runtime",
        "Runtime",
        "What the processes take, what the garbage collector costs, and how far the event loops run behind.",
        (
            Row(WELL, (process.memory(config), process.processor(config), _lag_share(config), _unhandled())),
            Row(
                PRESSURE,
                (
                    *(_pauses(), _lag(), _gc_share(), _tasks(), _slow_callbacks()),
                    *(_semaphore_waits(), _semaphore_holds(), _semaphore_permits(), _semaphore_waiters()),
                    *(process.container_memory(config), *process.counts()),
                ),
            ),
            Row(SINCE, (process.uptime(), process.switches(), process.disk(), *_collections())),
            Row(COMING, (process.memory_forecast(config), _uncollectable())),
        ),
    )


def _lag_share(config: Thresholds) -> Graph:
    loop = (*TARGET, *_LOOP)
    return Graph(
        "Event loops behind",
        "Share of the time that each event loop runs behind, on five minutes' average; the ten greatest. Something"
        " blocks it, and every task on it waits: see the runbook of EventLoopLagHigh.",
        "percentunit",
        (
            Query(highest(by(loop, chosen(rules.LOOP_LAG), "max")), f"{shown('instance')} {_A_LOOP}"),
            alert_line("EventLoopLagHigh", "ratio"),
        ),
        steps=worst_from(config.runtime.lag_ratio),
    )


def _pauses() -> Heatmap:
    return Heatmap(
        "Durations of garbage collections",
        "How long the program stood still for each collection. The full ones are the band on top; where it is slow"
        " and often, freeze what lives for ever (the setting gc_freeze) or collect less often (gc_thresholds).",
        "s",
        (heat(runtime.GC_PAUSE),),
        width=12,
    )


def _lag() -> Graph:
    return Graph(
        "Lag of event loops",
        "How much later than asked half of the timers run at most (p50), and all but one in a hundred (p99): what"
        " every task on the loop waits. Spikes are single blocking calls; a raised floor is a loop that is full.",
        "s",
        (
            quantile(0.5, runtime.LOOP_LAG, _LOOP, f"{_A_LOOP} p50"),
            quantile(0.99, runtime.LOOP_LAG, _LOOP, f"{_A_LOOP} p99"),
        ),
        width=12,
    )


def _gc_share() -> Graph:
    return Graph(
        "Time in the garbage collector",
        "Share of the time that each target stands still for collections, on five minutes' average; the ten greatest."
        " Above some percent it is worth making fewer cycles, or collecting less often.",
        "percentunit",
        (Query(highest(by(TARGET, chosen(rules.GC_SHARE), "max")), shown("instance")),),
        steps=((None, "green"), (0.05, WORRY)),
        width=12,
    )


def _tasks() -> Graph:
    state = (*_LOOP, "asyncio.task.state")
    return Graph(
        "Tasks of event loops",
        "Tasks that have not finished. Many that are ready: the loop is full. Waiting ones that only grow in number:"
        " tasks are started faster than they end, or wait for something that never comes.",
        "short",
        (Query(by(state, chosen(runtime.LOOP_TASKS)), " ".join(map(shown, state))),),
        width=12,
        stacked=True,
    )


def _slow_callbacks() -> Graph:
    function = "code.function.name"
    return Graph(
        "What holds event loops up",
        "Functions a second that were found to hold an event loop up for over 0.1 s; the ten greatest. Each is a"
        " callback, or a coroutine that blocks or computes between two awaits: move that into a thread.",
        "ops",
        (Query(highest(per_second(runtime.SLOW_CALLBACKS, (function,))), shown(function)),),
        width=12,
    )


def _semaphore_waits() -> Graph:
    return Graph(
        "Waits for semaphores and locks",
        "How long tasks wait for a permit, 99th percentile. A semaphore that limits on purpose makes them wait by"
        " design; a lock should not. Where waits grow and holds do not, more tasks want it: raise the limit.",
        "s",
        (quantile(0.99, runtime.SEMAPHORE_WAIT, _SEMAPHORE, _A_SEMAPHORE),),
        width=12,
    )


def _semaphore_holds() -> Graph:
    return Graph(
        "Holds of semaphores and locks",
        "How long tasks keep a permit, 99th percentile. What is done meanwhile is what the others wait for: move out"
        " of the block what does not need it.",
        "s",
        (quantile(0.99, runtime.SEMAPHORE_HOLD, _SEMAPHORE, _A_SEMAPHORE),),
        width=12,
    )


def _semaphore_permits() -> Graph:
    share = f"{by(_SEMAPHORE, chosen(runtime.SEMAPHORE_PERMITS))} / {by(_SEMAPHORE, chosen(runtime.SEMAPHORE_LIMIT))}"
    return Graph(
        "Permits in use",
        "Share of the permits that tasks hold. At 100 % everybody else waits.",
        "percentunit",
        (Query(share, _A_SEMAPHORE),),
        width=12,
    )


def _semaphore_waiters() -> Graph:
    return Graph(
        "Tasks that wait for a permit",
        "More and more of them: a permit is not given back, or tasks are started faster than they get one.",
        "short",
        (Query(by(_SEMAPHORE, chosen(runtime.SEMAPHORE_WAITERS)), _A_SEMAPHORE),),
        width=12,
    )


def _unhandled() -> Graph:
    error = "error.type"
    told = ("python.exception.source", error)
    return Graph(
        "Exceptions nobody handled",
        "Exceptions a second that ended a thread, that a finalizer could not raise, or that reached the handler of an"
        " event loop. What they were to do is not done, and nobody was told but the log.",
        "ops",
        (
            Query(highest(per_second(runtime.UNHANDLED_EXCEPTIONS, told)), " ".join(map(shown, told))),
            Query(highest(per_second(runtime.LOOP_UNHANDLED_EXCEPTIONS, (error,))), f"loop {shown(error)}"),
        ),
        steps=RED_FROM_ANY,
        width=12,
    )


def _collections() -> tuple[Graph, ...]:
    return (
        Graph(
            "Garbage collections",
            "Collections a second by generation, over the chosen targets. Generation 2 looks at everything, and costs"
            " the most by far.",
            "ops",
            (Query(per_second(runtime.GC_COLLECTIONS, _GENERATION), _A_GENERATION),),
            width=12,
        ),
        Graph(
            "Objects freed by the collector",
            "Objects a second that were in cycles and were freed, by generation. Where collections are many and this"
            " is near 0, they cost time for nothing.",
            "ops",
            (Query(per_second(runtime.GC_COLLECTED, _GENERATION), _A_GENERATION),),
            width=12,
        ),
    )


def _uncollectable() -> Graph:
    return Graph(
        "Objects that cannot be freed",
        "Objects a second that the collector found in cycles and could not free: each is lost memory until the"
        " process ends. A C extension is to blame.",
        "ops",
        (Query(per_second(runtime.GC_UNCOLLECTABLE, _GENERATION), _A_GENERATION),),
        steps=RED_FROM_ANY,
        width=12,
    )
