"""The process: its memory and processor time, and whether it leaks."""

from manometer.catalogue import process
from manometer.mixin.dashboards.panel import RATE, Panel, Query, alert_line, chosen, shown, worst_from
from manometer.mixin.promql import PROCESS, TARGET, by, rate
from manometer.mixin.rules import runtime as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["panels", "trend"]

_A_TARGET = shown("instance")


def panels(config: Thresholds) -> tuple[Panel, ...]:
    """Memory and processor time."""
    limits = config.runtime
    of_each = by((*TARGET, PROCESS), rate(chosen(process.CPU_TIME), RATE))
    return (
        Panel(
            "Memory",
            "Resident memory of the largest process of each target, and of all its processes. Steps that come back"
            " are load; a floor that keeps rising is a leak, which the trend below shows sooner.",
            "decbytes",
            (
                Query(by(TARGET, chosen(process.MEMORY_USAGE), "max"), _A_TARGET),
                Query(by(TARGET, chosen(process.MEMORY_USAGE)), f"{_A_TARGET} in all"),
                alert_line("MemoryHigh", "bytes"),
            ),
            steps=worst_from(limits.memory_bytes),
            width=12,
        ),
        Panel(
            "Processor",
            "Processors that the busiest process of each target takes, and all of them together. Near 1 a Python"
            " process has no more to give, and everything in it waits: spread the load over more processes.",
            "suffix: cores",
            (
                Query(by(TARGET, of_each, "max"), _A_TARGET),
                Query(by(TARGET, of_each), f"{_A_TARGET} in all"),
                alert_line("CpuHigh", "cores"),
            ),
            steps=worst_from(limits.cpu_cores),
            width=12,
        ),
    )


def trend(config: Thresholds) -> tuple[Panel, ...]:
    """Where the memory leads."""
    floor = chosen(rules.MEMORY_FLOOR)
    horizon, past = config.pool.forecast_horizon, config.pool.forecast_range
    return (
        Panel(
            f"Memory floor, and in {horizon}",
            f"The least memory of any ten minutes, and where the straight line through its last {past} leads"
            f" {horizon} from now. A forecast that stays above the floor for hours is a leak: see the"
            " runbook of MemoryLeak.",
            "decbytes",
            (
                Query(floor, f"{_A_TARGET} floor"),
                Query(
                    f"clamp_min(predict_linear({floor}[{past}], {horizon.seconds}), 0)",
                    f"{_A_TARGET} in {horizon}",
                ),
                alert_line("MemoryHigh", "bytes"),
            ),
            steps=worst_from(config.runtime.memory_bytes),
        ),
    )
