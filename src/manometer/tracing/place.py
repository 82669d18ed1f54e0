"""A place in a trace that is not recorded: its runs leave their times, for a trace that may be wanted afterwards."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from opentelemetry.trace import Span, SpanContext

from manometer.tracing.running import outermost
from manometer.tracing.wanted import Judge, Stage, Times, Told, Wanted

__all__ = ["KEPT_RUNS", "NOTHING", "Leaving", "Place"]

KEPT_RUNS = 256
"""The latest runs of a place whose times are kept."""


class Leaving(Judge, Protocol):
    """What leaves traces afterwards. leaves_traces: whether it does at all."""

    leaves_traces: bool

    def admits(self) -> bool:
        """Whether one more trace is within the bound."""

    def leave(self, wanted: Wanted, runs: Iterable[Times], root: Times) -> None:
        """Send the trace, whose outermost run has ended."""


class Place:
    """A context in which no trace is recorded.

    note: takes the `Times` of a run that ends, as one C call; None where no trace is wanted whatever happens.
    owner: the span of the run that opened the place, and that leaves its trace. Where it is None, the context was
    there before, and each of the outermost runs leaves a trace of its own. caller: the span around all of them.
    outer: the place in which the owner runs, which has no owner; its runs are functions, found by their frames.
    wanted: the trace that the runs under way are to leave.

    Tasks and threads that work in one place at the same time leave their times in one line. There, a run counts as
    within another if its time is.
    """

    __slots__ = ("caller", "note", "outer", "owner", "provider", "recorder", "runs", "wanted")

    def __init__(
        self,
        provider: object,
        recorder: Leaving | None,
        caller: SpanContext | None = None,
        owner: Span | None = None,
        outer: "Place | None" = None,
    ) -> None:
        self.provider, self.recorder, self.caller, self.owner, self.outer = provider, recorder, caller, owner, outer
        self.runs: deque[Times] = deque(maxlen=KEPT_RUNS)
        leaves = recorder is not None and recorder.leaves_traces
        self.note: Callable[[Times], None] | None = self.runs.append if leaves else None
        self.wanted: Wanted | None = None

    def close(self, stage: Stage, start: float, end: float, error: BaseException | None) -> Mapping[str, str] | None:
        """A run in the place ended; returns the labels of its exemplar, where it has a trace afterwards."""
        return self._close(stage, start, end, error, is_own=False)

    def close_own(
        self, stage: Stage, start: float, end: float, error: BaseException | None
    ) -> Mapping[str, str] | None:
        """The same of the run that opened the place. What goes on here after it is on its own."""
        exemplar = self._close(stage, start, end, error, is_own=True)
        if self.outer is not None:
            self.outer.runs += self.runs
        self.owner = self.outer = None
        return exemplar

    def abandon(self, error: BaseException) -> None:
        """A run of the place never began: there is nothing to tell."""

    def _close(
        self, stage: Stage, start: float, end: float, error: BaseException | None, *, is_own: bool
    ) -> Mapping[str, str] | None:
        recorder = self.recorder
        if recorder is None or self.note is None:
            return None
        told: Told | None = None
        if error is not None or stage.is_slow(end - start, recorder):
            wanted = self._want(recorder, stage, start)
            if wanted is not None and (is_own or not wanted.is_full):
                told = wanted.tell(error, self.owner.get_span_context() if is_own and self.owner else None)
        times = (stage, start, end, told)
        self.note(times)
        wanted = self.wanted
        if wanted is not None:
            if told is not None:
                wanted.keep(self.runs, times)
            if (is_own and wanted.root is None) or wanted.root == (stage, start):
                self.wanted = None
                _stop_watching(wanted)
                recorder.leave(wanted, self.runs, times)
        return None if told is None else told.exemplar

    def _want(self, recorder: Leaving, stage: Stage, start: float) -> Wanted | None:
        """The trace of the runs under way; None where one more is past the bound."""
        if self.owner is None:
            return self._want_from(outermost(self.note) or (stage, start), recorder, (stage, start))
        around = None if self.outer is None else outermost(self.outer.note)
        if self.outer is not None and around is not None:
            self.wanted = self.outer._want_from(around, recorder, None)
        elif self.wanted is None and recorder.admits():
            self.wanted = Wanted(self.caller, self.owner.get_span_context())
        return self.wanted

    def _want_from(
        self, root: tuple[Stage, float], recorder: Leaving, ending: tuple[Stage, float] | None
    ) -> Wanted | None:
        """The trace of that outermost run. ending: the run that ends, which nobody need watch."""
        wanted = self.wanted
        if wanted is None or wanted.root != root:
            if wanted is not None:  # its outermost run did not come to an end
                _stop_watching(wanted)
            self.wanted = wanted = Wanted(self.caller, root=root) if recorder.admits() else None
            if wanted is not None and root != ending:
                wanted.watched = root[0]
                root[0].watch(1)
        return wanted


def _stop_watching(wanted: Wanted) -> None:
    if wanted.watched is not None:
        wanted.watched.watch(-1)


NOTHING = Place(None, None)
"""The place of runs of which nothing is wanted."""
