"""The thresholds of retries."""

from dataclasses import dataclass

__all__ = ["Resilience"]


@dataclass(frozen=True, slots=True)
class Resilience:
    """exhausted_ratio: share of retried operations that may fail for good; floor: operations a second below which
    nobody is alerted.
    """

    exhausted_ratio: float = 0.05
    floor: float = 0.02
