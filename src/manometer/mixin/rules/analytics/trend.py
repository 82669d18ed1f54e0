"""The trend of each signal: its slope, how well a straight line fits, and where the line leads."""

from manometer.mixin.analysis import fit, forecast, prediction_error, slope, steadiness
from manometer.mixin.promql import WINDOW, both, over
from manometer.mixin.rules.analytics.family import (
    FORECAST,
    FORECAST_ERROR,
    R2,
    SLOPE,
    STEADINESS,
    TIME,
    VALUE,
    enough,
)
from manometer.mixin.rules.rule import Record
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["records"]


def records(config: Thresholds) -> tuple[Record, ...]:
    """The rules of the trend. Each has a figure only where the slope has one."""
    past, horizon = config.analytics.trend_range, config.analytics.horizon.seconds
    times = over("stdvar", TIME, past)
    # Rates over five minutes share their raw samples with those before: only every five minutes comes a new one.
    independent = (
        f"({over('count', VALUE, past)} * {min(1, config.analytics.interval.seconds / Duration(WINDOW).seconds):.9g})"
    )
    return (
        # When each figure was recorded. With gaps, nothing else tells how the samples are spread.
        Record(TIME, f"timestamp({VALUE})"),
        Record(SLOPE, both(slope(VALUE, past), VALUE, enough(VALUE, past, config))),
        Record(R2, fit(VALUE, past, SLOPE, times)),
        Record(STEADINESS, both(steadiness(VALUE, past.seconds, SLOPE), R2)),
        Record(FORECAST, both(forecast(VALUE, past, horizon), SLOPE)),
        Record(FORECAST_ERROR, both(prediction_error(VALUE, past, R2, TIME, horizon, independent), SLOPE)),
    )
