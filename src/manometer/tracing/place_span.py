"""The span of a run that opened a place in which no trace is recorded: it is what the runs within see."""

from collections.abc import Callable, Mapping

from opentelemetry.trace import NonRecordingSpan, SpanContext

from manometer.tracing.ids import new_span_id, new_trace_id
from manometer.tracing.place import Leaving, Place
from manometer.tracing.wanted import Stage

__all__ = ["PlaceSpan"]


class PlaceSpan(NonRecordingSpan):
    """Has ids only once somebody asks for them, since most are never told to anybody.

    caller: the span around it, whose trace it belongs to; None where the trace begins here. ids: None while it has
    none. outer: see `Place`. new_trace_id: makes the id of a trace that begins here.
    """

    def __init__(
        self,
        provider: object,
        recorder: Leaving | None,
        caller: SpanContext | None,
        *,
        ids: SpanContext | None = None,
        outer: Place | None = None,
        new_trace_id: Callable[[], int] = new_trace_id,
    ) -> None:
        self.place = Place(provider, recorder, caller, self, outer)
        self.ids, self._new_trace_id = ids, new_trace_id

    def get_span_context(self) -> SpanContext:
        ids = self.ids
        if ids is None:
            caller = self.place.caller
            trace_id = self._new_trace_id() if caller is None else caller.trace_id
            state = None if caller is None else caller.trace_state
            ids = self.ids = SpanContext(trace_id, new_span_id(), is_remote=False, trace_state=state)
        return ids

    def close(self, stage: Stage, start: float, end: float, error: BaseException | None) -> Mapping[str, str] | None:
        """The run ended, by the stage's clock; returns the labels of its exemplar."""
        return self.place.close_own(stage, start, end, error)

    def __repr__(self) -> str:
        return f"PlaceSpan({self.get_span_context()!r})"
