"""The thresholds of queues."""

from dataclasses import dataclass, field

from manometer.mixin.thresholds.duration import Duration

__all__ = ["Queue"]


@dataclass(frozen=True, slots=True)
class Queue:
    """When a queue is nearly full, keeps its items waiting, or turns them away.

    saturation_ratio: items over limit, on five minutes' average, at which a queue counts as full.
    wait_seconds: the mean wait past which its items wait too long. refusals: how many may come in `refusals_window`.
    """

    saturation_ratio: float = 0.8
    wait_seconds: float = 10.0
    refusals: float = 2.0
    refusals_window: Duration = field(default=Duration("1m"))
