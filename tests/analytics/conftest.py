"""A Prometheus with nine days of signals of every shape, raw and as the rules of analytics record them."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from manometer.mixin import rules
from manometer.mixin.thresholds import parse
from recording import past

STEP = 300  # seconds: the windows keep their lengths, and a tenth of the samples is enough to compare
DAY = 86400 // STEP
STEPS = int(9.25 * DAY)  # a week, a day for its median, a day for the deviations, and some
STEP_AT = STEPS - 2 * DAY // 3  # where the shape of that name has its step
END = 1_700_000_000 // STEP * STEP
START = END - (STEPS - 1) * STEP
TIMES = np.arange(START, END + 1, STEP)
SCRAPED = 60  # seconds between samples of a counter, of which a rate needs some
RAW = np.arange(START - 600, END + 1, SCRAPED)


def shapes():
    """Memory of a process, in bytes, by the name of its shape; NaN where it was not scraped."""
    steps = np.arange(STEPS)
    noise = np.random.default_rng(4).normal(0, 1e6, STEPS)
    day = 4e7 * np.sin(2 * np.pi * steps / DAY)
    season = 2e8 + day * np.where(steps // DAY % 7 < 5, 1, 0.3) + noise
    gaps = season.copy()
    gaps[np.random.default_rng(5).random(STEPS) < 0.05] = np.nan
    for start in (DAY // 2, 3 * DAY, STEPS - DAY // 2):
        gaps[start : start + DAY // 12] = np.nan
    return {
        "constant": np.full(STEPS, 1.234567e8),
        "noise": 1e8 + noise,
        "step": np.where(steps < STEP_AT, 1e8, 1.6e8) + noise,
        "ramp": 1e8 + 5e5 * steps + noise,
        "season": season,
        "gaps": gaps,
        "restarts": 1e8 + 1e5 * (steps % (DAY // 3)) + noise,
        "late": np.where(steps < STEPS - DAY // 16, np.nan, 1e8 + noise),
    }


SHAPES = shapes()
CONFIG = parse({"analytics": {"interval": f"{STEP}s"}})


def counted():
    """A counter of runs that starts again at 0 twice, and its growth a second over five minutes, at each step."""
    grown = np.random.default_rng(6).poisson(3.0 * SCRAPED, len(RAW)).astype(float)
    total = np.cumsum(grown)
    for restart in (len(RAW) // 2, len(RAW) - 300):
        total[restart:] -= total[restart - 1]
    window = 300 // SCRAPED
    sums = np.concatenate([np.full(window, np.nan), sliding_window_view(grown[1:], window).sum(axis=1)])
    at_steps = dict(zip(RAW.tolist(), sums / 300, strict=True))
    return total, np.array([at_steps[int(time)] for time in TIMES])


@pytest.fixture(scope="session")
def prometheus():
    """One that has all of it, raw and recorded."""
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed")
    with past() as made:
        for shape, values in SHAPES.items():
            samples = {int(time): float(value) for time, value in zip(TIMES, values, strict=True)}
            target = {"job": shape, "instance": "a"}
            made.give({"__name__": "process_memory_usage_bytes", **target}, samples)
            there = dict.fromkeys(samples, 1.0)
            made.give({"__name__": "process_uptime_seconds", **target}, there)
            collector = {"__name__": "manometer_collect_duration_seconds", "manometer_collector_name": "process"}
            made.give({**collector, **target}, there)
        labels = {"job": "counted", "instance": "a", "engine_name": "e", "engine_stage_name": "s"}
        name = "engine_stage_duration_seconds_count"
        made.give(
            {"__name__": name, "engine_stage_outcome": "ok", **labels},
            {int(time): float(value) for time, value in zip(RAW, counted()[0], strict=True)},
        )
        for rule in recorded():
            made.record(rule, START, END, STEP)
        yield made


def recorded():
    """The rules that have something to record, and the threshold that a panel draws."""
    files = rules.files(CONFIG)
    for group in (*files["analytics"]["groups"], *files["meta"]["groups"]):
        for rule in group["rules"]:
            labels = rule.get("labels", {})
            told = labels.get("signal") in (None, "memory", "throughput") and labels.get("alert", "SignalUnusual")
            if "record" in rule and told in (True, "SignalUnusual"):
                yield rule


@pytest.fixture
def made():
    """What was made: the shapes, the growth of the counter, and the times and configuration of the rules."""
    return SimpleNamespace(
        shapes=SHAPES,
        step_at=STEP_AT,
        growth=counted()[1],
        config=CONFIG,
        times=TIMES,
        start=START,
        end=END,
        step=STEP,
    )
