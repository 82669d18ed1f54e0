"""What is unusual about each signal: a robust score against the last day, the day before and the week before."""

from manometer.mixin.analysis import agreed, median
from manometer.mixin.promql import both, either, select
from manometer.mixin.rules.analytics.family import (
    ANOMALY,
    CENTRE,
    DEVIATION,
    GRAIN,
    RESIDUAL,
    SPREAD,
    USUAL,
    VALUE,
    ZSCORE,
    enough,
)
from manometer.mixin.rules.rule import Record
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["SEASONS", "records"]

SEASONS = {"daily": Duration("1d"), "weekly": Duration("7d")}
"""What comes again, and after how long."""

_NORMAL = 1.4826
"""The standard deviation of a normal distribution over its median absolute deviation."""

_MANY = "on (job, signal) group_right ()"  # one figure of the signal against one a season


def records(config: Thresholds) -> tuple[Record, ...]:
    """The rules of the anomaly score, in the order in which each needs those before it.

    A median is taken of recorded deviations: a subquery in its place would take a thousand times as long.
    """
    day = config.analytics.usual_range
    tolerance = f"{config.analytics.tolerance_ratio:g} * abs({USUAL}) + on (signal) group_left () {GRAIN}"
    return (
        Record(RESIDUAL, VALUE, {"season": "level"}),
        *(Record(RESIDUAL, _since(again, config), {"season": season}) for season, again in SEASONS.items()),
        Record(CENTRE, both(median(RESIDUAL, day), enough(RESIDUAL, day, config))),
        Record(DEVIATION, f"abs({RESIDUAL} - {CENTRE})"),
        Record(USUAL, f"{VALUE} - {_MANY} ({RESIDUAL} - {CENTRE})"),
        Record(
            SPREAD,
            both(f"{_NORMAL} * ({median(DEVIATION, day)} + {tolerance})", enough(DEVIATION, day, config)),
        ),
        Record(ZSCORE, f"({RESIDUAL} - {CENTRE}) / {SPREAD}"),
        Record(ANOMALY, _anomaly()),
    )


def _since(season: Duration, config: Thresholds) -> str:
    """How far the signal is from what it was a season ago: from the median of the hour around that time."""
    around = config.analytics.season_range
    ago = f"{season.seconds - around.seconds // 2}s"
    return both(f"{VALUE} - {median(VALUE, around, ago)}", enough(VALUE, around, config, ago))


def _anomaly() -> str:
    """The lesser score of two seasons: what is usual for the day or for the week is not unusual.

    Otherwise each incident would come again as an echo, a day and a week later, and each Monday would differ from its
    Sunday. A young job has no weekly score, and a very young one no daily score.
    """
    level, daily, weekly = (select(ZSCORE, {"season": season}) for season in ("level", *SEASONS))
    return either(agreed(daily, weekly, "season"), agreed(level, daily, "season"), agreed(level, level, "season"))
