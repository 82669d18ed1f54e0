"""A stage as the span of one run tells of it: with attributes that are that run's alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import SpanKind

from manometer.tracing.wanted import Judge, Stage

__all__ = ["ToldByRun"]


@dataclass(frozen=True, slots=True)
class ToldByRun:
    """attributes: all that the span has, those of every run of the stage among them."""

    of: Stage
    attributes: Mapping[str, Any]

    @property
    def stage(self) -> str:
        """The stage's name."""
        return self.of.stage

    @property
    def kind(self) -> SpanKind:
        """The stage's."""
        return self.of.kind

    def is_slow(self, seconds: float, judge: Judge) -> bool:
        """As of any run of the stage."""
        return self.of.is_slow(seconds, judge)

    def watch(self, by: int) -> None:
        """Watch the stage."""
        self.of.watch(by)
