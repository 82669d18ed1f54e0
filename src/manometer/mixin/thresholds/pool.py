"""The thresholds of pools of connections, objects and workers."""

from dataclasses import dataclass, field

from manometer.catalogue import pool
from manometer.mixin.thresholds.bucket import on_a_bound
from manometer.mixin.thresholds.duration import Duration

__all__ = ["Pool"]


@dataclass(frozen=True, slots=True)
class Pool:
    """When a pool is full, about to be, or keeps its callers waiting.

    saturation_ratio: used over limit, on five minutes' average, at which a pool counts as full.
    wait_seconds, wait_ratio: the wait, a bucket bound, that at most this share of requests may exceed.
    floor: requests a second below which waits alert nobody. refusals: time-outs and rejections in five minutes.
    forecast_*: the past that a trend is drawn from, how far ahead it is read, the saturation that it must have
    reached already, and the least r-squared at which it is believed.
    """

    saturation_ratio: float = 0.9
    wait_seconds: float = 0.25
    wait_ratio: float = 0.05
    floor: float = 0.1
    refusals: float = 2.0
    forecast_range: Duration = field(default=Duration("1h"))
    forecast_horizon: Duration = field(default=Duration("30m"))
    forecast_ratio: float = 0.6
    forecast_fit_ratio: float = 0.7

    def __post_init__(self) -> None:
        on_a_bound("pool.wait_seconds", self.wait_seconds, pool.WAIT_DURATION)
