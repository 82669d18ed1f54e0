"""The ranges and limits of analytics."""

from dataclasses import dataclass, field

from manometer.errors import ConfigError
from manometer.mixin.thresholds.duration import Duration

__all__ = ["Analytics"]


@dataclass(frozen=True, slots=True)
class Analytics:
    """How signals are analysed.

    interval: how often.
    trend_range, horizon: the past that a trend is drawn from, and how far ahead it is read.
    usual_range: the past whose median is usual; season_range: the same around the time a day and a week ago.
    samples_ratio: the share of a range's samples that must be there before anything is said.
    tolerance_ratio: the spread that every signal is granted, as a share of what is usual.
    anomaly: robust standard deviations at which a signal is unusual.
    floor: events a second below which a share or a mean of events tells nothing.
    """

    interval: Duration = field(default=Duration("120s"))
    trend_range: Duration = field(default=Duration("1h"))
    horizon: Duration = field(default=Duration("30m"))
    usual_range: Duration = field(default=Duration("1d"))
    season_range: Duration = field(default=Duration("1h"))
    samples_ratio: float = 0.5
    tolerance_ratio: float = 0.05
    anomaly: float = 5.0
    floor: float = 1.0

    def __post_init__(self) -> None:
        if not self.tolerance_ratio:
            raise ConfigError(
                "analytics.tolerance_ratio is 0, so that a signal without any noise would be unusual at once; "
                "choose a greater one, such as 0.05"
            )
