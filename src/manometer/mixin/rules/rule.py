"""What a rule is, as data, and how it becomes an entry of a rules file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from manometer.catalogue import label
from manometer.errors import ConfigError
from manometer.mixin.shipped import RUNBOOKS
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["Alert", "Entry", "Group", "Record", "Severity", "Threshold", "runbook", "told"]

Entry: TypeAlias = dict[str, object]
"""A group or a rule as a rules file holds it."""


class Severity(Enum):
    """What an alert asks for: a page, a ticket, nothing but to be known; NONE is for alerts about alerting."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The figure that an alert compares with, and its unit as the recorded name says it."""

    value: float
    unit: str = "ratio"


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule. name: `level:metric:operation`; labels: those it adds."""

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def entry(self) -> Entry:
        """The rule as a rules file holds it."""
        labels: Entry = {"labels": dict(self.labels)} if self.labels else {}
        return {"record": self.name, "expr": self.expr, **labels}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert.

    fires: the condition in words, for the documentation.
    summary, description: templates; what is wrong with whom, and what it means with the figure at hand.
    threshold: what the condition compares with, where it is one figure.
    variant: tells two rules of one alert apart.
    """

    name: str
    expr: str
    severity: Severity
    fires: str
    summary: str
    description: str
    threshold: Threshold | None = None
    variant: str = ""

    @property
    def key(self) -> str:
        """The alert's key in the configured timing."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    def entry(self, config: Thresholds, pages: Collection[str] | None) -> Entry:
        """The rule as a rules file holds it, with its timing, severity and runbook.

        pages: the runbooks there are, or None where they are not at hand. ConfigError where the alert
        has no summary, description, timing or page.
        """
        for what in ("summary", "description", "fires"):
            if not getattr(self, what).strip():
                raise ConfigError(f"alert {self.key!r} has no {what}; write one")
        if self.key not in config.timing:
            raise ConfigError(f"alert {self.key!r} has no timing; add it to the thresholds")
        if pages is not None and self.name not in pages:
            raise ConfigError(f"alert {self.name!r} has no runbook; write {RUNBOOKS}/{self.name}.md")
        timing = config.timing[self.key]
        held: Entry = {"for": str(timing.hold)} if timing.hold.seconds else {}
        kept: Entry = {"keep_firing_for": str(timing.keep)} if timing.keep.seconds else {}
        return {
            "alert": self.name,
            "expr": self.expr,
            **held,
            **kept,
            "labels": {"severity": self.severity.value},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url" if config.runbooks else "runbook": runbook(self.name, config),
            },
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other: each sees what those before it recorded just now.

    fast: at the shorter interval. interval: how often, where that is not configured.
    """

    name: str
    rules: tuple[Record | Alert, ...]
    fast: bool = False
    interval: Duration | None = None

    def entry(self, config: Thresholds, pages: Collection[str] | None) -> Entry:
        """The group as a rules file holds it."""
        rules = [rule.entry() if isinstance(rule, Record) else rule.entry(config, pages) for rule in self.rules]
        interval = self.interval or (config.fast_interval if self.fast else config.interval)
        return {"name": f"manometer-{self.name}", "interval": str(interval), "rules": rules}


def runbook(alert: str, config: Thresholds) -> str:
    """Where an alert's runbook is: its URL, or its path in the package where no URL is known. A path is no link."""
    return f"{config.runbooks.rstrip('/') or RUNBOOKS}/{alert}.md"


def told(attribute: str) -> str:
    """The part of an alert's text that is the value of an attribute or label."""
    return f"{{{{ $labels.{label(attribute)} }}}}"
