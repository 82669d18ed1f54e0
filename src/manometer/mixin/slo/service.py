"""A service: its objectives, whom it depends on, and who answers for it."""

from dataclasses import dataclass, field

from manometer.mixin.thresholds import Duration

__all__ = ["CRITICAL", "SEVERITIES", "Indicator", "Objective", "Service"]

CRITICAL = "critical"
SEVERITIES = (CRITICAL, "warning")
"""What a fast burn of an error budget may be: a page, or a ticket."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """What an objective is measured by.

    events, errors: expressions of how many there are a second, in one figure; target_errors: of the share of errors
    among the events of each target, which is a number of those alone that had errors.
    """

    events: str
    errors: str
    target_errors: str


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise: that this share of events is good.

    target_ratio: the share, over the window. floor: events a second below which nobody is alerted.
    severity: of a fast burn; a slow one is one less.
    """

    name: str
    target_ratio: float
    window: Duration
    severity: str
    floor: float
    indicator: Indicator

    @property
    def budget_ratio(self) -> float:
        """The share of events that may be bad."""
        return round(1 - self.target_ratio, 9)


@dataclass(frozen=True, slots=True)
class Service:
    """A service.

    jobs: the scrape jobs of its programs. depends_on: services or scrape jobs without which it cannot do its work.
    team: who answers for it; empty where nobody was named.
    """

    name: str
    objectives: tuple[Objective, ...]
    jobs: tuple[str, ...]
    depends_on: tuple[str, ...] = field(default=())
    team: str = ""
