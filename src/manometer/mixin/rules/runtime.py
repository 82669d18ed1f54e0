"""Rules of the process and its Python runtime: memory, processor, garbage collector, event loop."""

from manometer.catalogue import process, runtime
from manometer.mixin.promql import TARGET, any_of, both, by, either, over, rate, recorded, select
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold, told
from manometer.mixin.thresholds import Thresholds

__all__ = ["CPU", "GC_SHARE", "LOOP_LAG", "MEMORY", "MEMORY_FLOOR", "groups"]

_LOOP = (*TARGET, "asyncio.loop.name")

MEMORY = recorded(TARGET, process.MEMORY_USAGE, "avg5m")
MEMORY_FLOOR = recorded(TARGET, process.MEMORY_USAGE, "min10m")
CPU = recorded(TARGET, process.CPU_TIME, "rate5m")
GC_SHARE = recorded(TARGET, runtime.GC_PAUSE, "rate5m")
LOOP_LAG = recorded(_LOOP, runtime.LOOP_LAG, "rate5m")


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of the process and its runtime."""
    return (Group("runtime", (*_records(config), *_alerts(config))),)


def _records(config: Thresholds) -> tuple[Record, ...]:
    # Other programs show process figures too, by the same convention; the thresholds are for the named jobs.
    jobs = any_of(config.jobs)
    memory = select(process.MEMORY_USAGE, {"job": jobs})
    return (
        Record(MEMORY, by(TARGET, over("avg", memory, "5m"))),
        Record(MEMORY_FLOOR, by(TARGET, over("min", memory, "10m"))),
        Record(CPU, by(TARGET, rate(select(process.CPU_TIME, {"job": jobs})))),
        Record(GC_SHARE, by(TARGET, rate(select(runtime.GC_PAUSE, part="_sum")))),
        Record(LOOP_LAG, by(_LOOP, rate(select(runtime.LOOP_LAG, part="_sum")))),
    )


def _alerts(config: Thresholds) -> tuple[Alert, ...]:
    limits = config.runtime
    floor, leak = MEMORY_FLOOR, limits.leak_ratio
    age = by(TARGET, select(process.UPTIME, {"job": any_of(config.jobs)}), "min")
    # A loop that stands still runs no probe either.
    probes = by(_LOOP, rate(select(runtime.LOOP_LAG, part="_count"), "2m"))
    return (
        Alert(
            name="MemoryHigh",
            expr=f"{MEMORY} > {limits.memory_bytes:.0f}",
            severity=Severity.WARNING,
            fires=f"a process holds more than {limits.memory_bytes / 1e6:g} MB of memory",
            summary="{{ $labels.job }} takes much memory",
            description="{{ $labels.instance }} holds {{ $value | humanize }}B resident, against"
            f" {limits.memory_bytes / 1e6:g} MB allowed.",
            threshold=Threshold(limits.memory_bytes, "bytes"),
        ),
        Alert(
            name="MemoryLeak",
            expr=both(
                f"deriv({floor}[2h]) * 3600 > {leak:g} * {floor}",
                f"{floor} > {floor} offset 1h",
                f"{floor} offset 1h > {floor} offset 2h",
                f"{age} > {limits.leak_age.seconds}",
            ),
            severity=Severity.WARNING,
            fires=f"a process's least memory has grown for two hours, by more than {leak:.0%} an hour",
            summary="{{ $labels.job }} leaks memory",
            description="The least memory that {{ $labels.instance }} holds grows by {{ $value | humanize }}B an hour"
            " and has not come down for two hours.",
            threshold=Threshold(limits.leak_ratio),
        ),
        Alert(
            name="CpuHigh",
            expr=f"{CPU} > {limits.cpu_cores:g}",
            severity=Severity.WARNING,
            fires=f"a process takes more than {limits.cpu_cores:.0%} of one processor",
            summary="{{ $labels.job }} takes much processor time",
            description="{{ $labels.instance }} takes {{ $value | humanizePercentage }} of one processor; a Python"
            " program seldom gets more than one.",
            threshold=Threshold(limits.cpu_cores, "cores"),
        ),
        Alert(
            name="EventLoopLagHigh",
            expr=either(f"{LOOP_LAG} > {limits.lag_ratio:g}", f"{probes} == 0"),
            severity=Severity.WARNING,
            fires=f"an event loop runs behind for more than {limits.lag_ratio:.0%} of the time, or stands still",
            summary=f"Event loop {told('asyncio.loop.name')} of {told('job')} is blocked",
            description=f"Event loop {told('asyncio.loop.name')} on {told('instance')} runs behind for"
            " {{ $value | humanizePercentage }} of the time (0%: it stands still); every task on it waits.",
            threshold=Threshold(limits.lag_ratio),
        ),
    )
