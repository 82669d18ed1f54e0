"""What is unusual about each signal: a robust score against the last day, the day before and the week before."""

from collections.abc import Mapping

from manometer.mixin.analysis import agreed, median
from manometer.mixin.promql import both, either, select
from manometer.mixin.rules.analytics.family import (
    ANOMALY,
    CENTRE,
    DEVIATION,
    DISTANCE,
    GRAIN,
    HIGHEST,
    LOG,
    LOWEST,
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

_OF_SIGNAL = "on (signal) group_left ()"
_OF_SERIES = "on (job, signal) group_right ()"  # one figure of the job's signal against one a season


def records(config: Thresholds) -> tuple[Record, ...]:
    """The rules of the anomaly score, in the order in which each needs those before it.

    The score is of logarithms, because load multiplies what it acts on: half is as far from usual as twice, by night
    as by day. A signal's grain is added first: what is far below it may double, and that means nothing.
    A median is taken of recorded deviations: a subquery in its place would take a thousand times as long.
    """
    limits, day = config.analytics, config.analytics.usual_range
    usual = f"{LOG} - {_OF_SERIES} {DEVIATION}"
    return (
        Record(LOG, f"ln({VALUE} + {_OF_SIGNAL} {GRAIN})"),
        Record(RESIDUAL, LOG, {"season": "level"}),
        *(Record(RESIDUAL, _since(again, config), {"season": season}) for season, again in SEASONS.items()),
        Record(CENTRE, both(median(RESIDUAL, day), enough(RESIDUAL, day, config))),
        Record(DEVIATION, f"{RESIDUAL} - {CENTRE}"),
        Record(DISTANCE, f"abs({DEVIATION})"),
        Record(USUAL, f"exp({usual}) - {_OF_SIGNAL} {GRAIN}"),
        Record(
            SPREAD,
            both(
                f"{_NORMAL} * clamp_min({median(DISTANCE, day)}, {limits.tolerance_ratio:g})",
                DISTANCE,
                enough(DISTANCE, day, config),
            ),
        ),
        Record(HIGHEST, f"exp({usual} + {limits.anomaly:g} * {SPREAD}) - {_OF_SIGNAL} {GRAIN}"),
        Record(LOWEST, f"clamp_min(exp({usual} - {limits.anomaly:g} * {SPREAD}) - {_OF_SIGNAL} {GRAIN}, 0)"),
        Record(ZSCORE, f"{DEVIATION} / {SPREAD}"),
        Record(ANOMALY, _anomaly()),
    )


def _since(season: Duration, config: Thresholds) -> str:
    """How far the signal is from what it was a season ago: from the median of the hour around that time."""
    around = config.analytics.season_range
    ago = f"{season.seconds - around.seconds // 2}s"
    return both(f"{LOG} - {median(LOG, around, ago)}", enough(LOG, around, config, ago))


def _anomaly() -> str:
    """The lesser deviation of two seasons, over the spread of the longer: what is usual for either is not unusual.

    Otherwise each incident would come again as an echo, a day and a week later, and each Monday would differ from its
    Sunday. A young job has no weekly spread, and a very young one no daily spread.
    """
    level, daily, weekly = ({"season": season} for season in ("level", *SEASONS))

    def score(one: Mapping[str, str], longer: Mapping[str, str]) -> str:
        lesser = agreed(select(DEVIATION, one), select(DEVIATION, longer), "season")
        return f"({lesser})\n/ ignoring (season) {select(SPREAD, longer)}"

    youngest = f"sum without (season) ({select(ZSCORE, level)})"
    return either(score(daily, weekly), score(level, daily), youngest)
