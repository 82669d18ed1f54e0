"""The names of what is recorded of the signals; the label `signal` tells which signal a series is of."""

from manometer.mixin.promql import recorded
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = [
    "ANOMALY",
    "CENTRE",
    "DEVIATION",
    "DISTANCE",
    "FORECAST",
    "FORECAST_ERROR",
    "GRAIN",
    "HIGHEST",
    "LOG",
    "LOWEST",
    "R2",
    "RESIDUAL",
    "SLOPE",
    "SPREAD",
    "STEADINESS",
    "TIME",
    "USUAL",
    "VALUE",
    "ZSCORE",
    "enough",
]

_SIGNAL = "manometer_signal"

VALUE = recorded(("job",), _SIGNAL, "value")
TIME = recorded(("job",), _SIGNAL, "timestamp_seconds")

SLOPE = recorded(("job",), _SIGNAL, "slope")
R2 = recorded(("job",), _SIGNAL, "r2")
STEADINESS = recorded(("job",), _SIGNAL, "steadiness")
FORECAST = recorded(("job",), _SIGNAL, "forecast")
FORECAST_ERROR = recorded(("job",), _SIGNAL, "forecast_error")

LOG = recorded(("job",), _SIGNAL, "log")

# Each of these but the last has a series a season: against what the figure is held.
RESIDUAL = recorded(("job",), _SIGNAL, "residual")
CENTRE = recorded(("job",), _SIGNAL, "residual_median")
DEVIATION = recorded(("job",), _SIGNAL, "deviation")
DISTANCE = recorded(("job",), _SIGNAL, "distance")
USUAL = recorded(("job",), _SIGNAL, "usual")
HIGHEST = recorded(("job",), _SIGNAL, "usual_highest")
LOWEST = recorded(("job",), _SIGNAL, "usual_lowest")
SPREAD = recorded(("job",), _SIGNAL, "spread")
ZSCORE = recorded(("job",), _SIGNAL, "zscore")
ANOMALY = recorded(("job",), _SIGNAL, "anomaly")

GRAIN = "manometer:signal_grain:value"


def enough(series: str, window: Duration, config: Thresholds, ago: str = "") -> str:
    """Where the range holds at least the configured share of the samples that it can hold.

    ago: how long ago the range ends.
    """
    fewest = config.analytics.samples_ratio * window.seconds / config.analytics.interval.seconds
    return f"count_over_time({series}[{window}]{f' offset {ago}' if ago else ''}) >= {fewest:g}"
