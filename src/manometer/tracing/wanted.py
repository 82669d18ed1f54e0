"""A trace that is wanted of runs that were not recorded: what is kept for it until its outermost run has ended."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from opentelemetry.trace import SpanContext, SpanKind

from manometer.tracing.described import Described
from manometer.tracing.ids import exemplar_of, new_span_id, new_trace_id
from manometer.tracing.sampling import Sampling

__all__ = ["LOOK_AT_ALL", "Judge", "Looking", "Stage", "Times", "Told", "Wanted"]


LOOK_AT_ALL = -1.0
"""Seconds, of which every run took more."""


_AT_MOST = 1024  # runs that a trace is made of, some more where the last one that is kept has many within it


class Judge(Protocol):
    """By whose settings a run is slow."""

    sampling: Sampling

    def asked_by(self, stage: "Looking") -> None:
        """That stage looks at its runs by this judge's settings from now on."""


class Looking(Protocol):
    """What looks at runs. look_after: seconds from which on a run that ends has to be looked at."""

    look_after: float


class Stage(Protocol):
    """A stage, as the spans of its runs tell of it. kind, attributes: those of the spans."""

    @property
    def stage(self) -> str: ...

    @property
    def kind(self) -> SpanKind: ...

    @property
    def attributes(self) -> Mapping[str, Any]: ...

    def is_slow(self, seconds: float, judge: Judge) -> bool:
        """Whether a run that took so long was slow."""

    def watch(self, by: int) -> None:
        """Have every run looked at while the sum of these numbers is over 0."""


class Told(NamedTuple):
    """What there is to tell of a run that failed or was slow: the id that its span will have, and the exception."""

    span_id: int
    error: Described | None
    exemplar: Mapping[str, str]


Times = tuple[Stage, float, float, Told | None]
"""A run: its stage, when it began and ended by the stage's clock, and what there is to tell of it; None for most."""


class Wanted:
    """The trace of a place's runs under way.

    caller: the span around them. own: the span of the outermost one; where it has none, root: its stage and
    beginning. watched: its stage, where its end has to be looked at.
    """

    def __init__(
        self, caller: SpanContext | None, own: SpanContext | None = None, root: tuple[Stage, float] | None = None
    ) -> None:
        self.caller, self.own, self.root = caller, own, root
        self.watched: Stage | None = None
        known = own or caller
        self.trace_id = new_trace_id() if known is None else known.trace_id
        self._kept: list[Times] = []

    @property
    def is_full(self) -> bool:
        """Whether it has as many runs as one trace may have."""
        return len(self._kept) >= _AT_MOST

    def tell(self, error: BaseException | None, own: SpanContext | None) -> Told:
        """Of a run that ended so. own: the ids that others may know it by already."""
        span_id = new_span_id() if own is None else own.span_id
        return Told(span_id, None if error is None else Described.of(error), exemplar_of(self.trace_id, span_id))

    def keep(self, runs: Iterable[Times], times: Times) -> None:
        """Keep the run, and those within it, whatever comes until the outermost run has ended."""
        self._kept += _within(runs, times)

    def runs(self, later: Iterable[Times], root: Times) -> list[Times]:
        """All that is known of the outermost run, from itself on: each before those that are within it."""
        found = {id(times): times for times in (*self._kept, *_within(later, root)) if times is not root}
        latest_first = reversed(found.values())  # of two with the same times, the outer one left its own later
        return [root, *sorted(latest_first, key=lambda times: (times[1], -times[2]))]


def _within(runs: Iterable[Times], outer: Times) -> list[Times]:
    _, start, end, _ = outer
    return [times for times in [*runs] if start <= times[1] and times[2] <= end]
