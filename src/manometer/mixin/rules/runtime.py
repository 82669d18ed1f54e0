"""Rules of the process and its Python runtime: memory, processor, garbage collector, event loop."""

from manometer.catalogue import container, process, runtime, self_metrics
from manometer.mixin.histograms import amounts, events
from manometer.mixin.promql import PROCESS, TARGET, WINDOW, both, by, either, lately, over, rate, recorded, select
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold, told
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["CONTAINER", "CPU", "GC_SHARE", "LARGEST", "LOOP_LAG", "MEMORY", "MEMORY_FLOOR", "OURS", "groups"]

_PROCESS = (*TARGET, PROCESS)
_LOOP = (*TARGET, "asyncio.loop.name")

# Of all processes of a program together. What is alive now is added up first and looked back on then: a range also
# holds the series of workers that have ended, whose memory is free again.
MEMORY = recorded(TARGET, process.MEMORY_USAGE, "avg5m")
MEMORY_FLOOR = recorded(TARGET, process.MEMORY_USAGE, "min10m")
CPU = recorded(TARGET, process.CPU_TIME, "rate5m")
GC_SHARE = recorded(TARGET, runtime.GC_PAUSE, "rate5m")
LOOP_LAG = recorded(_LOOP, runtime.LOOP_LAG, "rate5m")

CONTAINER = recorded(TARGET, container.MEMORY_WORKING_SET, "saturation")
"""The share of the container's memory limit that is used; all processes of a container count."""

# Of the process of a program that takes most: a threshold is for one process, however many there are beside it.
LARGEST = recorded(TARGET, process.MEMORY_USAGE, "max_avg5m")
_BUSIEST = recorded(TARGET, process.CPU_TIME, "max_rate5m")

_MEMORY_NOW = recorded(TARGET, process.MEMORY_USAGE, "sum")
_LARGEST_NOW = recorded(TARGET, process.MEMORY_USAGE, "max")
_CPU = by(_PROCESS, rate(select(process.CPU_TIME)))
_FLOOR_OF_EACH = recorded(_PROCESS, process.MEMORY_USAGE, "min10m")

_SELDOM = Duration("120s")  # for what no alert waits for

# Other programs show process figures too, by the same convention; the thresholds are for those that have Manometer.
OURS = f"and on (job, instance) {select(self_metrics.COLLECT_DURATION, {'manometer.collector.name': 'process'})}"


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of the process and its runtime."""
    return (
        Group("runtime", (*_records(), *_container(config), *_alerts(config))),
        Group("runtime-use", _use(), interval=_SELDOM),
    )


def _records() -> tuple[Record, ...]:
    memory = select(process.MEMORY_USAGE)
    used, left = select(container.MEMORY_WORKING_SET), select(container.MEMORY_AVAILABLE)
    late, looks = amounts(runtime.LOOP_LAG, _LOOP), events(runtime.LOOP_LAG, _LOOP)
    return (
        Record(_MEMORY_NOW, by(TARGET, f"{memory} {OURS}")),
        Record(_LARGEST_NOW, by(TARGET, f"{memory} {OURS}", "max")),
        Record(MEMORY, over("avg", _MEMORY_NOW, "5m")),
        Record(LARGEST, over("avg", _LARGEST_NOW, "5m")),
        Record(MEMORY_FLOOR, over("min", _MEMORY_NOW, "10m")),
        Record(_FLOOR_OF_EACH, by(_PROCESS, f"{over('min', memory, '10m')} {OURS}", "min")),
        Record(CONTAINER, by(TARGET, f"{used} / ({used} + {left}) {OURS}", "max")),
        Record(_BUSIEST, by(TARGET, f"{_CPU} {OURS}", "max")),
        # The loops of all processes are one figure too. A loop waits 100 ms for its next look, or is behind. The sum
        # of both is the time that there was, of one loop or of many.
        Record(LOOP_LAG, f"{late}\n/ ({late} + {runtime.LOOP_LAG_EVERY:g} * {looks} > 0)"),
    )


def _use() -> tuple[Record, ...]:
    """What panels show and no alert waits for."""
    paused = amounts(runtime.GC_PAUSE, TARGET)
    processes = by(TARGET, select(process.UPTIME), "count")
    return (
        Record(CPU, by(TARGET, f"{_CPU} {OURS}")),
        # The pauses of all processes are one figure; a process stands still for its part of them.
        Record(GC_SHARE, either(f"{paused}\n/ {processes}", paused)),
    )


def _container(config: Thresholds) -> tuple[Alert, Alert]:
    """The soft limit and the hard one. At the end of its memory the kernel kills, so the hard one pages."""
    limits = config.runtime
    used = lately("min", CONTAINER, config.lookback)  # a peak of a moment is none
    name, summary = "ContainerMemoryHigh", "The container of {{ $labels.job }} runs out of memory"
    holds = "The container of {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory limit;"
    return (
        Alert(
            name=name,
            variant="hard",
            expr=f"({used}) > {limits.memory_hard_ratio:g}",
            severity=Severity.CRITICAL,
            fires=f"a container uses over {limits.memory_hard_ratio:.0%} of its memory limit",
            summary=summary,
            description=f"{holds} at all of it, the kernel kills a process.",
            threshold=Threshold(limits.memory_hard_ratio),
        ),
        Alert(
            name=name,
            variant="soft",
            expr=f"({used}) > {limits.memory_soft_ratio:g}",
            severity=Severity.WARNING,
            fires=f"a container uses over {limits.memory_soft_ratio:.0%} of its memory limit",
            summary=summary,
            description=f"{holds} over {limits.memory_hard_ratio:.0%} somebody is paged.",
        ),
    )


def _alerts(config: Thresholds) -> tuple[Alert, ...]:
    limits = config.runtime
    floor, leak = _FLOOR_OF_EACH, limits.leak_ratio
    age = by(_PROCESS, select(process.UPTIME), "min")
    leaking = both(
        f"deriv({floor}[2h]) * 3600 > {leak:g} * {floor}",
        # Each hour has its part in the rise: a step has one hour alone.
        f"{floor} > {1 + leak / 2:g} * {floor} offset 1h",
        f"{floor} offset 1h > {1 + leak / 2:g} * {floor} offset 2h",
        f"{age} > {limits.leak_age.seconds}",
    )
    return (
        Alert(
            name="MemoryHigh",
            expr=f"{LARGEST} > {limits.memory_bytes:.0f}",
            severity=Severity.WARNING,
            fires=f"a process holds more than {limits.memory_bytes / 1e6:g} MB of memory",
            summary="{{ $labels.job }} takes much memory",
            description="A process of {{ $labels.instance }} holds {{ $value | humanize }}B resident, against"
            f" {limits.memory_bytes / 1e6:g} MB allowed.",
            threshold=Threshold(limits.memory_bytes, "bytes"),
        ),
        Alert(
            name="MemoryLeak",
            expr=by(TARGET, leaking, "max"),
            severity=Severity.WARNING,
            fires=f"a process's least memory has grown for two hours, by more than {leak:.0%} an hour",
            summary="{{ $labels.job }} leaks memory",
            description="The least memory that a process of {{ $labels.instance }} holds grows by"
            " {{ $value | humanize }}B an hour and has not come down for two hours.",
            threshold=Threshold(limits.leak_ratio),
        ),
        Alert(
            name="CpuHigh",
            expr=f"{_BUSIEST} > {limits.cpu_cores:g}",
            severity=Severity.WARNING,
            fires=f"a process takes more than {limits.cpu_cores:.0%} of one processor",
            summary="{{ $labels.job }} takes much processor time",
            description="A process of {{ $labels.instance }} takes {{ $value | humanizePercentage }} of one"
            " processor; a Python program seldom gets more than one.",
            threshold=Threshold(limits.cpu_cores, "cores"),
        ),
        Alert(
            name="EventLoopLagHigh",
            expr=either(f"{LOOP_LAG} > {limits.lag_ratio:g}", _stands_still()),
            severity=Severity.WARNING,
            fires=f"an event loop runs behind for more than {limits.lag_ratio:.0%} of the time, or stands still",
            summary=f"Event loop {told('asyncio.loop.name')} of {told('job')} is blocked",
            description=f"Event loop {told('asyncio.loop.name')} on {told('instance')} runs behind for"
            " {{ $value | humanizePercentage }} of the time (0%: it stands still); every task on it waits.",
            threshold=Threshold(limits.lag_ratio),
        ),
    )


def _stands_still() -> str:
    """A loop that stands still looks at its punctuality no more than it does anything else.

    At a scrape a minute two minutes hold too few scrapes for a rate; five do.
    """
    looks = (events(runtime.LOOP_LAG, _LOOP, window=window) for window in ("2m", WINDOW))
    return f"({either(*looks)}) == 0"
