"""Processes: their memory and processor time, what they have open, and whether they leak."""

from manometer.catalogue import container, process
from manometer.mixin.dashboards.meaning import worst_from
from manometer.mixin.dashboards.panel import Graph, Query
from manometer.mixin.dashboards.query import alert_line, chosen, highest, per_second, shown
from manometer.mixin.promql import PROCESS, TARGET, by
from manometer.mixin.rules import runtime as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["container_memory", "counts", "disk", "memory", "memory_forecast", "processor", "switches", "uptime"]

_A_TARGET = shown("instance")


def memory(config: Thresholds) -> Graph:
    """Resident memory of the largest process of each target."""
    return Graph(
        "Memory",
        "Resident memory of the largest process of each target; the ten greatest. Steps that come back are load; a"
        " floor that keeps rising is a leak, which the trend of the memory floor shows sooner.",
        "decbytes",
        (
            Query(highest(by(TARGET, chosen(process.MEMORY_USAGE), "max")), _A_TARGET),
            alert_line("MemoryHigh", "bytes"),
        ),
        steps=worst_from(config.runtime.memory_bytes),
    )


def container_memory(config: Thresholds) -> Graph:
    """How near the containers are to the limits of their memory."""
    used, left = chosen(container.MEMORY_WORKING_SET), chosen(container.MEMORY_AVAILABLE)
    return Graph(
        "Memory of the container",
        "Share of its container's memory limit that each target's container uses, without what the kernel can drop at"
        " once; the ten greatest. At 100 % the kernel kills a process. Without a limit there is no line.",
        "percentunit",
        (
            Query(highest(by(TARGET, f"{used} / ({used} + {left})", "max")), _A_TARGET),
            alert_line("ContainerMemoryHigh", "ratio"),
        ),
        steps=worst_from(config.runtime.memory_hard_ratio),
        top=1,
    )


def processor(config: Thresholds) -> Graph:
    """Processor time of the busiest process of each target."""
    return Graph(
        "Processor",
        "Processors that the busiest process of each target takes; the ten greatest. A Python process near 1 has no"
        " more to give, and everything in it waits: spread the load over more processes.",
        "suffix: cores",
        (
            Query(highest(by(TARGET, per_second(process.CPU_TIME, (*TARGET, PROCESS)), "max")), _A_TARGET),
            alert_line("CpuHigh", "cores"),
        ),
        steps=worst_from(config.runtime.cpu_cores),
    )


def memory_forecast(config: Thresholds) -> Graph:
    """Where the memory leads."""
    floor = chosen(rules.MEMORY_FLOOR)
    horizon, past = config.pool.forecast_horizon, config.pool.forecast_range
    ahead = f"clamp_min(predict_linear({floor}[{past}], {horizon.seconds}), 0)"
    return Graph(
        f"Memory floor, and in {horizon}",
        f"The least memory of any ten minutes, and where the straight line through its last {past} leads"
        f" {horizon} from now; the ten greatest. A forecast that stays above the floor for hours is a leak: see the"
        " runbook of MemoryLeak.",
        "decbytes",
        (
            Query(highest(floor), f"{_A_TARGET} floor"),
            Query(highest(ahead), f"{_A_TARGET} in {horizon}"),
            alert_line("MemoryHigh", "bytes"),
        ),
        steps=worst_from(config.runtime.memory_bytes),
        width=12,
    )


def counts() -> tuple[Graph, ...]:
    """What the processes have open."""
    return (
        Graph(
            "Threads",
            "Threads of each target, those of C libraries too; the ten greatest. A number that only grows is a thread"
            " that is started and never ended.",
            "short",
            (Query(highest(by(TARGET, chosen(process.THREADS))), _A_TARGET),),
        ),
        Graph(
            "Open files and sockets",
            "Files, sockets and pipes that each target has open; the ten greatest. A number that only grows is"
            " something that is opened and not closed, and ends in errors at the limit of the process.",
            "short",
            (Query(highest(by(TARGET, chosen(process.FILE_DESCRIPTORS))), _A_TARGET),),
        ),
        Graph(
            "Mapped memory",
            "Addresses that each target has mapped, whether memory stands behind them or not; the ten greatest. Large"
            " figures are common and harmless; a steady climb beside a flat resident memory is not.",
            "decbytes",
            (Query(highest(by(TARGET, chosen(process.MEMORY_VIRTUAL))), _A_TARGET),),
        ),
    )


def uptime() -> Graph:
    """How long the youngest process is up."""
    return Graph(
        "Uptime",
        "Time since the youngest process of each target began; the ten youngest. A line that falls to 0 is a restart;"
        " a saw is a process that keeps crashing.",
        "s",
        (Query(f"bottomk(10, {by(TARGET, chosen(process.UPTIME), 'min')})", _A_TARGET),),
    )


def switches() -> Graph:
    """How often the processes lose their processor."""
    kinds = (*TARGET, "process.context_switch.type")
    return Graph(
        "Context switches",
        "Times a second that each target gave its processor up to wait (voluntary), or lost it (involuntary); the ten"
        " greatest. Many involuntary ones: the host has more to run than processors.",
        "ops",
        (
            Query(
                highest(per_second(process.CONTEXT_SWITCHES, kinds)),
                f"{_A_TARGET} {shown('process.context_switch.type')}",
            ),
        ),
    )


def disk() -> Graph:
    """What the processes read and write."""
    ways = (*TARGET, "disk.io.direction")
    return Graph(
        "Disk traffic of the processes",
        "Bytes a second that each target reads from disks and writes to them; the ten greatest. Reads after the start"
        " are files that the host's memory does not hold.",
        "Bps",
        (Query(highest(per_second(process.DISK_IO, ways)), f"{_A_TARGET} {shown('disk.io.direction')}"),),
    )
