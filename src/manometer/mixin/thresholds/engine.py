"""The thresholds of engines."""

from dataclasses import dataclass, field

from manometer.catalogue import engine
from manometer.errors import ConfigError
from manometer.mixin.thresholds.bucket import on_a_bound
from manometer.mixin.thresholds.duration import Duration

__all__ = ["FAST_PACE", "Engine"]

FAST_PACE = 14.4
"""How many times as fast as it may a month's budget is spent where it is told at once: 2 % of it within an hour."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine's stages promise.

    objective_ratio: share of runs that should succeed; its complement is the error budget.
    latency_seconds, slow_ratio: the time, a bucket bound, that at most this share of runs may exceed.
    waiting_stages, waiting_seconds: stages that wait for a person, of which no latency is promised and for which no
    cache can stand; the wait, a bucket bound, past which an answer is overdue; overdue: how many of those may come in
    five minutes.
    stuck_seconds: the mean time in any stage, over `stuck_window`, past which its runs count as stuck.
    floor: runs a second below which errors and latency alert nobody.
    """

    objective_ratio: float = 0.99
    latency_seconds: float = 0.25
    slow_ratio: float = 0.05
    waiting_stages: tuple[str, ...] = ()
    waiting_seconds: float = 1.0
    overdue: float = 2.0
    stuck_seconds: float = 60.0
    stuck_window: Duration = field(default=Duration("5m"))
    floor: float = 0.1

    def __post_init__(self) -> None:
        on_a_bound("engine.latency_seconds", self.latency_seconds, engine.STAGE_DURATION)
        on_a_bound("engine.waiting_seconds", self.waiting_seconds, engine.STAGE_DURATION)
        if FAST_PACE * self.budget_ratio >= 1:
            raise ConfigError(
                f"engine.objective_ratio is {self.objective_ratio}; "
                f"below 0.9306 the fast burn rate of {FAST_PACE:g} can never be reached, so choose a higher one"
            )

    @property
    def budget_ratio(self) -> float:
        """Share of runs that may fail."""
        return round(1 - self.objective_ratio, 9)

    @property
    def burning_ratio(self) -> float:
        """Share of runs that fail where a month's budget is spent at the fast pace."""
        return round(FAST_PACE * self.budget_ratio, 9)
