"""The rules of analytics on a real Prometheus, compared with numpy on the same samples."""

import shutil

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from manometer.mixin import rules
from manometer.mixin.thresholds import parse
from recording import past
from signal_statistics import anomaly, scores, trend

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed"),
]

STEP = 300  # seconds: the windows keep their lengths, and a tenth of the samples is enough to compare
DAY = 86400 // STEP
STEPS = int(9.25 * DAY)  # a week, a day for its median, a day for the deviations, and some
END = 1_700_000_000 // STEP * STEP
START = END - (STEPS - 1) * STEP
TIMES = np.arange(START, END + 1, STEP)
SCRAPED = 60  # seconds between samples of a counter, of which a rate needs some
RAW = np.arange(START - 600, END + 1, SCRAPED)
GRAIN = 1e6  # of memory
NEAR = 1e-9


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
        "step": np.where(steps < STEPS - DAY // 2, 1e8, 1.6e8) + noise,
        "ramp": 1e8 + 2e4 * steps + noise,
        "season": season,
        "gaps": gaps,
        "restarts": 1e8 + 1e5 * (steps % (DAY // 3)) + noise,
        "late": np.where(steps < STEPS - DAY // 16, np.nan, 1e8 + noise),
    }


SHAPES = shapes()
CONFIG = parse({"interval": f"{STEP}s", "jobs": [*SHAPES, "counted"]})


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


@pytest.fixture(scope="module")
def prometheus():
    """One that has all of it, raw and recorded."""
    with past() as made:
        for shape, values in SHAPES.items():
            samples = {int(time): float(value) for time, value in zip(TIMES, values, strict=True)}
            made.give({"__name__": "process_memory_usage_bytes", "job": shape, "instance": "a"}, samples)
        labels = {"job": "counted", "instance": "a", "engine_name": "e", "engine_stage_name": "s"}
        name = "engine_stage_duration_seconds_count"
        made.give(
            {"__name__": name, "engine_stage_outcome": "ok", **labels},
            {int(time): float(value) for time, value in zip(RAW, counted()[0], strict=True)},
        )
        for group in rules.files(CONFIG)["analytics"]["groups"]:
            for rule in group["rules"]:
                if "record" in rule and rule.get("labels", {}).get("signal") in (None, "memory", "throughput"):
                    made.record(rule, START, END, STEP)
        yield made


@pytest.fixture
def found(prometheus):
    """What Prometheus has of a signal, as an array: found(shape, operation, season)."""

    def array(shape, operation, season=""):
        signal = "throughput" if shape == "counted" else "memory"
        selector = f'job:manometer_signal:{operation}{{job="{shape}",signal="{signal}",season="{season}"}}'
        answer = prometheus.series(selector, START, END, STEP)
        assert len(answer) <= 1
        samples = next(iter(answer.values()), {})
        return np.array([samples.get(int(time), np.nan) for time in TIMES])

    return array


def assert_near(actual, expected, scale):
    """There where numpy has figures and nowhere else, and as near as 1e-9 of the scale."""
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_allclose(actual, expected, rtol=NEAR, atol=NEAR * scale, equal_nan=True)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_gauge_is_its_signal(found, shape):
    """The mean of one process is that process."""
    assert_near(found(shape, "value"), SHAPES[shape], 0)


def test_a_restarted_counter_goes_on(found):
    """Where it starts again at 0, it has grown by what it shows; the rate has no hole and no peak there."""
    growth = counted()[1]
    between = np.isfinite(growth)
    assert between.sum() > STEPS - 3
    assert_near(found("counted", "value")[between], growth[between], 0)


@pytest.mark.parametrize("shape", [*SHAPES, "counted"])
def test_the_trend_equals_numpy(found, shape):
    """Slope, fit, steadiness and forecast on the very samples that are recorded, each to 1e-9 of what it is about."""
    values = found(shape, "value")
    expected = trend(values, CONFIG)
    level = np.nanmax(values)
    assert_near(found(shape, "slope"), expected["slope"], level / 3600)
    assert_near(found(shape, "forecast"), expected["forecast"], level)
    assert_near(found(shape, "r2"), expected["r2"], 1)
    # Where there is hardly a slope, the shares of it that its halves have are large, and so are their errors.
    steep = np.abs(expected["slope"]) > level * 1e-7
    for each in (steadiness := found(shape, "steadiness")), expected["steadiness"]:
        each[~steep] = 0
    assert_near(steadiness, expected["steadiness"], 1)
    # An error is the root of a variance, which is what is computed.
    assert_near(found(shape, "forecast_error") ** 2, expected["forecast_error"] ** 2, level**2)


@pytest.mark.parametrize("shape", [*SHAPES, "counted"])
def test_the_anomaly_equals_numpy(found, shape):
    """What is usual, its spread and the score, against each season, and the score of them together."""
    values = found(shape, "value")
    expected = scores(values, 0.1 if shape == "counted" else GRAIN, CONFIG)
    level = np.nanmax(values)
    for season, figures in expected.items():
        assert_near(found(shape, "usual", season), figures["usual"], level)
        assert_near(found(shape, "spread", season), figures["spread"], level)
        assert_near(found(shape, "zscore", season), figures["zscore"], 1)
    assert_near(found(shape, "anomaly"), anomaly(expected), 1)
    assert np.isfinite(found(shape, "anomaly")).any() == (shape != "late")
