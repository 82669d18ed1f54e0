"""Whether a push tells all there was, or what came since the receiver took it last."""

from collections.abc import Callable, Iterable
from typing import Protocol

from manometer.meters.family import Family
from manometer.otlp.metrics.deltas import Deltas
from manometer.otlp.metrics.encoding import Metric, metrics_of
from manometer.otlp.metrics.names import is_pulled

__all__ = ["Round", "Temporality", "Totals", "temporality_of"]


class Round(Protocol):
    """How counters and histograms are told in one push."""

    def encoded(self, family: Family, now: int) -> list[Metric]:
        """What the family comes to. now: when it was read, Unix time in nanoseconds.

        Raises ValueError for what OTLP cannot tell.
        """

    def settled(self, points: int, *, arrived: bool) -> None:
        """So many of the points that were encoded, the earliest ones, got to the receiver, or will not."""


class Temporality(Protocol):
    """How they are told in all pushes."""

    def begin(self) -> Round:
        """What one push has to tell."""

    def renew(self, brought_along: Callable[[], Iterable[Family]]) -> None:
        """In a forked child, which has pushed nothing. brought_along: see `Source`."""


class Totals:
    """All there was: a push that is lost needs nothing from here, as the next one has it all."""

    def begin(self) -> Round:
        return self

    def encoded(self, family: Family, now: int) -> list[Metric]:
        return [*metrics_of(family, now)]

    def settled(self, points: int, *, arrived: bool) -> None:
        pass

    def renew(self, brought_along: Callable[[], Iterable[Family]]) -> None:
        pass


def temporality_of(preference: str) -> Temporality:
    """The one that OpenTelemetry's specification has for that preference: cumulative, delta or lowmemory."""
    if preference == "cumulative":
        return Totals()
    return Deltas(is_pulled) if preference == "lowmemory" else Deltas()
