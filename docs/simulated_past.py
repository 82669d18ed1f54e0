"""A Prometheus with eleven days of a service's signals, as the rules of analytics record them: they need days.

The load is the model of healthy load that the false alarms are counted on. In the last day of it are two faults of an
hour, and memory that grows.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "analytics"), str(TESTS / "shared")]

from healthy import DAY, signals  # noqa: E402

from manometer.mixin import rules  # noqa: E402
from manometer.mixin.thresholds import parse  # noqa: E402
from recording import past  # noqa: E402
from run import FAULTS, LASTS  # noqa: E402

__all__ = ["simulated_past"]

DAYS = 11
STEP = 300
END = 1_700_000_000 // STEP * STEP
_AGO = {"latency": 15 * 3600, "errors": 6 * 3600}
"""Seconds before the end at which a fault of that signal begins."""


@contextmanager
def simulated_past() -> Iterator[tuple[str, float]]:
    """Its address, and the time at which its past ends."""
    start = END - DAYS * DAY + STEP
    files = rules.files(parse({"interval": f"{STEP}s"}))
    recordings = [
        rule
        for name in ("analytics", "meta")
        for group in files[name]["groups"]
        for rule in group["rules"]
        if rule.get("record") == "manometer:threshold:deviations"
        or (name == "analytics" and rule.get("record", "job:manometer_signal:value") != "job:manometer_signal:value")
    ]
    with past() as made:
        for signal, values in _service().items():
            labels = {"__name__": "job:manometer_signal:value", "job": "shop", "signal": signal}
            made.give(labels, {start + STEP * place: float(value) for place, value in enumerate(values)})
        for rule in recordings:
            made.record(rule, start, END, STEP)
        yield made.url, END


def _service() -> "dict[str, np.ndarray]":
    made = signals(np.random.default_rng(7), DAYS, STEP, 40.0)
    for signal, ago in _AGO.items():
        during = slice(-ago // STEP, (LASTS - ago) // STEP)
        made[signal][during] = FAULTS[signal][1](made[signal][during])
    made["memory"][-4 * 3600 // STEP :] += np.arange(4 * 3600 // STEP) * 1.5e6
    return made
