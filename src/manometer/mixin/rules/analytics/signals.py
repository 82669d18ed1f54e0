"""The signals: what each tells of a job, in one figure, and how small a figure may be to mean nothing.

A signal is of a job and not of an instance. So its history outlives deployments, which give instances new names, and
a thousand instances cost hardly more than one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from manometer.catalogue import MetricSpec, cache, engine, pool, process, queue, resilience, runtime
from manometer.mixin.histograms import amounts, events
from manometer.mixin.promql import TARGET, by, over, rate, saturation, select
from manometer.mixin.rules.analytics.family import VALUE
from manometer.mixin.rules.engine import promised
from manometer.mixin.rules.runtime import OURS
from manometer.mixin.thresholds import Thresholds

__all__ = ["Signal", "signals"]

_JOB = ("job",)
_POOL = (*TARGET, "pool.name", "pool.kind")
_QUEUE = (*TARGET, "queue.name")
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Signal:
    """One figure of each job.

    tells: what it is, for people. unit: Grafana's id of it. expr: an expression with the label `job` alone.
    grain: the figure that is as good as none, in the unit: what is far below it may double and nothing has changed.
    low: whether it is bad news too when the figure is lower than usual; higher always is.
    """

    name: str
    tells: str
    unit: str
    expr: str
    grain: float
    low: bool = False


def signals(config: Thresholds) -> tuple[Signal, ...]:
    """Every signal. A job has those that it has the metrics of; shares and means need traffic too."""
    return (*_engine(config), *_cache(config), *_pool(config), *_queue(config), *_retries(config), *_process(config))


def _engine(config: Thresholds) -> tuple[Signal, ...]:
    floor = config.analytics.floor
    failed = events(engine.STAGE_DURATION, _JOB, {"engine.stage.outcome": "error"})
    # Recorded before the others: the runs of a thousand instances are added up once.
    throughput = Signal(
        "throughput", "runs of stages a second", "ops", events(engine.STAGE_DURATION, _JOB), grain=1, low=True
    )
    runs = by(_JOB, select(VALUE, {"signal": throughput.name}))
    active = by(_JOB, over("avg", select(engine.STAGE_ACTIVE), "5m"))
    return (
        throughput,
        Signal(
            "latency",
            "mean time of a stage's run, without stages that wait for a person",
            "s",
            _mean(engine.STAGE_DURATION, floor, promised(config)),
            grain=0.001,
        ),
        Signal("errors", "share of the stages' runs that fail", "percentunit", _share(failed, runs, floor), 0.02),
        Signal("in_flight", "runs of stages that have started and not ended", "short", active, grain=5),
    )


def _cache(config: Thresholds) -> tuple[Signal, ...]:
    misses = _a_second(cache.REQUESTS, {"cache.request.type": "miss"})
    missed = f"{misses}\n/ ({_a_second(cache.REQUESTS)} > {config.analytics.floor:g})"
    return (
        Signal("misses", "share of cache lookups that miss: 1 less the hit ratio", "percentunit", missed, grain=0.1),
        Signal("evictions", "entries that leave caches a second", "ops", _a_second(cache.EVICTIONS), grain=1),
    )


def _pool(config: Thresholds) -> tuple[Signal, ...]:
    floor = config.analytics.floor
    held, workers = {"pool.kind": "!=worker"}, {"pool.kind": "worker"}
    return (
        Signal("pool_saturation", "use of the fullest pool", "percentunit", _fullest_pool(held), grain=0.2),
        Signal("worker_saturation", "use of the busiest workers", "percentunit", _fullest_pool(workers), grain=0.2),
        Signal("pool_wait", "mean wait for a pooled resource", "s", _mean(pool.WAIT_DURATION, floor), grain=0.01),
    )


def _queue(config: Thresholds) -> tuple[Signal, ...]:
    limit = by(_QUEUE, select(queue.ITEM_LIMIT), "max")
    full = saturation(by(_QUEUE, over("avg", select(queue.ITEMS), "5m")), limit)
    wait = _mean(queue.WAIT_DURATION, config.analytics.floor)
    return (
        Signal("queue_saturation", "how full the fullest queue is", "percentunit", by(_JOB, full, "max"), grain=0.2),
        Signal("queue_wait", "mean wait of an item in a queue", "s", wait, grain=0.1),
    )


def _retries(config: Thresholds) -> tuple[Signal, ...]:
    attempts = _a_second(resilience.RETRY_ATTEMPTS)
    failed = _a_second(resilience.RETRY_ATTEMPTS, {"retry.attempt.outcome": "!=ok"})
    share = _share(failed, attempts, config.analytics.floor)
    return (Signal("retries", "share of the attempts of retried operations that fail", "percentunit", share, 0.05),)


def _process(config: Thresholds) -> tuple[Signal, ...]:
    """Figures of the mean process, so that one more process is no jump."""
    del config  # no traffic is needed
    processes = by(_JOB, f"{select(process.UPTIME)} {OURS}", "count")
    held = by(_JOB, f"{select(process.MEMORY_USAGE)} {OURS}")
    opened = by(_JOB, f"{select(process.FILE_DESCRIPTORS)} {OURS}")
    busy = by(_JOB, f"{rate(select(process.CPU_TIME))} {OURS}")
    paused = amounts(runtime.GC_PAUSE, _JOB)
    lag = _mean(runtime.LOOP_LAG, 0)

    def of_each(figure: str) -> str:
        return f"{figure}\n/ {processes}"

    return (
        Signal("memory", "resident memory of a process", "decbytes", of_each(held), grain=1e7),
        Signal("cpu", "processors that a process keeps busy", "suffix: cores", of_each(busy), grain=0.2),
        Signal(
            "gc", "share of the time that garbage collection stops a process", "percentunit", of_each(paused), 0.05
        ),
        Signal("loop_lag", "mean lag of an event loop", "s", lag, grain=0.01),
        Signal("descriptors", "files and sockets that a process has open", "short", of_each(opened), grain=20),
    )


def _a_second(counter: MetricSpec, matchers: Mapping[str, str] = _NONE) -> str:
    return by(_JOB, rate(select(counter, matchers)))


def _share(part: str, whole: str, floor: float) -> str:
    """The part's share of the whole, where the whole is more than the floor a second."""
    return f"({part} or 0 * {whole})\n/ ({whole} > {floor:g})"


def _mean(histogram: MetricSpec, floor: float, matchers: Mapping[str, str] = _NONE) -> str:
    """What the histogram's events took on average, where there are more of them than the floor a second."""
    return f"{amounts(histogram, _JOB, matchers)}\n/ ({events(histogram, _JOB, matchers)} > {floor:g})"


def _fullest_pool(kind: Mapping[str, str]) -> str:
    used = by(_POOL, over("avg", select(pool.RESOURCES, {"pool.resource.state": "used", **kind}), "5m"))
    return by(_JOB, saturation(used, by(_POOL, select(pool.RESOURCE_LIMIT, kind), "max")), "max")
