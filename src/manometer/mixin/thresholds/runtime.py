"""The thresholds of processes."""

from dataclasses import dataclass, field

from manometer.errors import ConfigError
from manometer.mixin.thresholds.duration import Duration

__all__ = ["Runtime"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process may take.

    memory_soft_ratio, memory_hard_ratio: shares of the memory limit of its container, for a ticket and for a page.
    memory_bytes: resident; cpu_cores: processor time a second; leak_ratio: growth of the memory floor an hour;
    leak_age: how long the process must be up before growth counts as a leak; lag_ratio: share of the time that an
    event loop may run behind; restarts: how many starts again in ten minutes are too many.
    """

    memory_soft_ratio: float = 0.85
    memory_hard_ratio: float = 0.95
    memory_bytes: float = 200_000_000
    cpu_cores: float = 0.8
    leak_ratio: float = 0.02
    leak_age: Duration = field(default=Duration("3h"))
    lag_ratio: float = 0.1
    restarts: float = 3.0

    def __post_init__(self) -> None:
        if self.memory_soft_ratio >= self.memory_hard_ratio:
            raise ConfigError(
                f"runtime.memory_soft_ratio is {self.memory_soft_ratio:g}; it has to be less than memory_hard_ratio,"
                f" {self.memory_hard_ratio:g}, so that the ticket comes before the page"
            )
