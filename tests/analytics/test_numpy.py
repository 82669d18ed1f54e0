"""The rules of analytics on a real Prometheus, compared with numpy on the same samples."""

import numpy as np
import pytest

from manometer.mixin.rules.analytics.signals import signals
from signal_statistics import anomaly, scores, trend

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("analytics")]

GAUGES = ("constant", "noise", "step", "ramp", "season", "gaps", "restarts", "late")
NEAR = 1e-9


@pytest.fixture
def found(prometheus, made):
    """What Prometheus has of a signal, as an array: found(shape, operation, season)."""

    def array(shape, operation, season=""):
        signal = "throughput" if shape == "counted" else "memory"
        selector = f'job:manometer_signal:{operation}{{job="{shape}",signal="{signal}",season="{season}"}}'
        answer = prometheus.series(selector, made.start, made.end, made.step)
        assert len(answer) <= 1
        samples = next(iter(answer.values()), {})
        return np.array([samples.get(int(time), np.nan) for time in made.times])

    return array


def assert_near(actual, expected, scale):
    """There where numpy has figures and nowhere else, and as near as 1e-9 of the scale."""
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_allclose(actual, expected, rtol=NEAR, atol=NEAR * scale, equal_nan=True)


@pytest.mark.parametrize("shape", GAUGES)
def test_a_gauge_is_its_signal(found, made, shape):
    """The mean of one process is that process."""
    assert_near(found(shape, "value"), made.shapes[shape], 0)


def test_a_restarted_counter_goes_on(found, made):
    """Where it starts again at 0, it has grown by what it shows; the rate has no hole and no peak there."""
    growth = made.growth
    between = np.isfinite(growth)
    assert between.sum() > len(growth) - 3
    assert_near(found("counted", "value")[between], growth[between], 0)


@pytest.mark.parametrize("shape", [*GAUGES, "counted"])
def test_the_trend_equals_numpy(found, made, shape):
    """Slope, fit, steadiness and forecast on the very samples that are recorded, each to 1e-9 of what it is about."""
    values = found(shape, "value")
    expected = trend(values, made.config)
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


@pytest.mark.parametrize("shape", [*GAUGES, "counted"])
def test_the_anomaly_equals_numpy(found, made, shape):
    """What is usual, its spread and the score, against each season, and the score of them together."""
    values = found(shape, "value")
    [grain] = [
        each.grain for each in signals(made.config) if each.name == ("throughput" if shape == "counted" else "memory")
    ]
    expected = scores(values, grain, made.config)
    for season, figures in expected.items():
        for name, figure in figures.items():
            assert_near(found(shape, name, season), figure, np.nanmax(np.abs(figure), initial=0))
    assert_near(found(shape, "anomaly"), anomaly(expected), 1)
    assert np.isfinite(found(shape, "anomaly")).any() == (shape != "late")


def test_a_ramp_is_a_trend_and_a_step_is_none(found, made):
    """The fit alone takes a step for a trend; its steadiness tells the two apart."""

    def believed(shape):
        return (found(shape, "r2") > 0.7) & (found(shape, "steadiness") > 0.5)

    hour = slice(made.step_at, made.step_at + 3600 // made.step)
    assert (found("step", "r2")[hour] > 0.7).any()
    assert not believed("step")[hour].any()
    assert believed("ramp").mean() > 0.7
