"""The span of a run that opened a place in which no trace is recorded: it is what the runs within see."""

from opentelemetry.trace import NonRecordingSpan, SpanContext

from manometer.tracing.ids import new_span_id, new_trace_id
from manometer.tracing.place import Leaving, Place

__all__ = ["PlaceSpan"]


class PlaceSpan(NonRecordingSpan):
    """Has ids only once somebody asks for them, since most are never told to anybody.

    caller: the span around it, whose trace it belongs to; None where the trace begins here. ids: where it has them.
    outer: see `Place`.
    """

    def __init__(
        self,
        provider: object,
        recorder: Leaving | None,
        caller: SpanContext | None,
        *,
        ids: SpanContext | None = None,
        outer: Place | None = None,
    ) -> None:
        self.place = Place(provider, recorder, caller, self, outer)
        self._ids = ids

    def get_span_context(self) -> SpanContext:
        ids = self._ids
        if ids is None:
            caller = self.place.caller
            trace_id = new_trace_id() if caller is None else caller.trace_id
            state = None if caller is None else caller.trace_state
            ids = self._ids = SpanContext(trace_id, new_span_id(), is_remote=False, trace_state=state)
        return ids

    def __repr__(self) -> str:
        return f"PlaceSpan({self.get_span_context()!r})"
