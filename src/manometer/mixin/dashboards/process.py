"""The process: its memory and processor time, and whether it leaks."""

from manometer.catalogue import process
from manometer.mixin.dashboards.panel import RATE, Panel, Query, alert_line, chosen, shown, worst_from
from manometer.mixin.promql import TARGET, by, rate
from manometer.mixin.rules import runtime as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["panels", "trend"]

_A_TARGET = shown("instance")


def panels(config: Thresholds) -> tuple[Panel, ...]:
    """Memory and processor time."""
    limits = config.runtime
    return (
        Panel(
            "Memory",
            "Resident memory of each process. Steps that come back are load; a floor that keeps rising is a leak,"
            " which the trend below shows sooner.",
            "decbytes",
            (Query(chosen(process.MEMORY_USAGE), _A_TARGET), alert_line("MemoryHigh", "bytes")),
            steps=worst_from(limits.memory_bytes),
            width=12,
        ),
        Panel(
            "Processor",
            "Processors that each process keeps busy. Near 1 a Python program has no more to give, and everything in"
            " it waits: spread the load over more processes.",
            "suffix: cores",
            (
                Query(by(TARGET, rate(chosen(process.CPU_TIME), RATE)), _A_TARGET),
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
