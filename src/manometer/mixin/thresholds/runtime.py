"""The thresholds of processes."""

from dataclasses import dataclass, field

from manometer.mixin.thresholds.duration import Duration

__all__ = ["Runtime"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process may take.

    memory_bytes: resident; cpu_cores: processor time a second; leak_ratio: growth of the memory floor an hour;
    leak_age: how long the process must be up before growth counts as a leak; lag_ratio: share of the time that an
    event loop may run behind; restarts: how many starts again in ten minutes are too many.
    """

    memory_bytes: float = 200_000_000
    cpu_cores: float = 0.8
    leak_ratio: float = 0.02
    leak_age: Duration = field(default=Duration("3h"))
    lag_ratio: float = 0.1
    restarts: float = 3.0
