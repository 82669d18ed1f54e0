"""Advice about the Python runtime: what the garbage collector takes for nothing."""

from collections.abc import Iterable

from manometer.catalogue import runtime
from manometer.mixin.advice.advice import Advice
from manometer.mixin.advice.window import Keep, Window
from manometer.mixin.promql import TARGET, both
from manometer.mixin.thresholds import Thresholds

__all__ = ["advice"]


def advice(config: Thresholds, keep: Keep) -> Iterable[Advice]:
    """Of the garbage collector."""
    limits, window = config.advice, Window(config, TARGET, keep)
    full = {"cpython.gc.generation": "2"}
    pauses = window.spent(runtime.GC_PAUSE, full)
    freed = f"{window.rate(runtime.GC_COLLECTED, full)}\n/ {window.rate(runtime.GC_COLLECTIONS, full)}"
    # Full collections are few, so that they need no floor of events: their time is what counts.
    known = window.lasting(runtime.GC_PAUSE, full)
    yield Advice(
        *("GcPolicyCostly", TARGET, known),
        expr=both(f"0.9 * {pauses} > {limits.gain_ratio:g}", f"{freed} < {limits.gc_freed:g}", known),
        unit="s",
        fires=f"full garbage collections that free under {limits.gc_freed:g} objects each stop a process for over"
        f" {limits.gain_ratio:.0%} of the time",
        found="the garbage collector goes through all objects often, and frees few",
        gain="of pauses a second, with a tenth as many full collections",
        change="call gc.freeze() when the program has started, and set the third number of gc.set_threshold to ten "
        "times what it is",
    )
