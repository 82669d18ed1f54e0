"""The span that a run has, from the beginning of the run to its end, whatever becomes of it in between."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from weakref import ReferenceType, ref

from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode

from manometer.meters.outages import Outages
from manometer.tracing import here
from manometer.tracing.described import Described
from manometer.tracing.ids import exemplar_of
from manometer.tracing.place_span import PlaceSpan
from manometer.tracing.wanted import Stage

__all__ = ["StageSpan", "outages"]

outages = Outages()
open_spans: set[ReferenceType["StageSpan"]] = set()
"""The spans whose end nobody has told yet."""


class StageSpan:
    """A span that lasts as long as the run, and is the parent of what happens in it.

    before: the context that it began in. Where the run is abandoned, because a signal handler raised before `close`
    could begin, the span ends with this object.
    """

    __slots__ = ("__weakref__", "_before", "_span", "_tie", "_token")
    note = None

    def __init__(self, span: Span, before: Context) -> None:
        self._span, self._before = span, before
        self._token: Any = None
        self._tie = ref(self, partial(_abandoned, span, before))
        open_spans.add(self._tie)

    def make_current(self, context: Context) -> None:
        """Make the context, which has the span, the one of what follows."""
        self._token = here.attach(context)

    def close(self, stage: Stage, start: float, end: float, error: BaseException | None) -> Mapping[str, str] | None:
        """End the span; returns the labels of the run's exemplar. Never raises, whatever the host's tracer does."""
        exemplar: Mapping[str, str] | None = None
        worked = _tried(self._leave)
        span = self._span
        try:
            # Its type is asked for at a fifth of what `isinstance` takes of an abstract class.
            place = span.place if type(span) is PlaceSpan else None
            exemplar = _sampled(span) if place is None else place.close_own(stage, start, end, error)
        except Exception:
            worked = _failed()
        if error is not None:
            worked &= _tried(partial(_describe, span, error))
        worked &= _tried(span.end)
        if worked and outages.failing:
            outages.worked("end", "the spans of stages are ended in full again")
        self.let_go()
        return exemplar

    def abandon(self, error: BaseException) -> None:
        """End the span of a run that never began."""
        _tried(self._leave)
        _tried(partial(_describe, self._span, error))
        _tried(self._span.end)
        self.let_go()

    def let_go(self) -> None:
        """Nothing is to be done when this object goes."""
        open_spans.discard(self._tie)
        del self._tie  # the last hold on it

    def _leave(self) -> None:
        if self._token is None:
            _put_back(self._span, self._before)
        else:
            here.detach(self._token)


def _sampled(span: Span) -> Mapping[str, str] | None:
    found = span.get_span_context()
    return exemplar_of(found.trace_id, found.span_id) if found.trace_flags.sampled else None


def _abandoned(span: Span, before: Context, tie: ReferenceType[StageSpan]) -> None:
    """End the span of a run that nobody ended."""
    open_spans.discard(tie)
    _tried(partial(_put_back, span, before))
    _tried(lambda: span.is_recording() and span.end())  # the SDK logs a second end


def _tried(step: Callable[[], object]) -> bool:
    """Whether the tracer took this step of a span's end."""
    try:
        step()
    except Exception:
        return _failed()
    return True


def _failed() -> bool:
    outages.failed("end", "the spans of stages cannot be ended in full; their ends are lost until they can")
    return False


def _put_back(span: Span, before: Context) -> None:
    """Make the context from before the span current, if the span is current here."""
    if here.current().get(here.CURRENT) is span:
        here.attach(before)


def _describe(span: Span, error: BaseException) -> None:
    if span.is_recording():
        described = Described.of(error)
        span.set_attribute("error.type", described.type)
        span.set_status(Status(StatusCode.ERROR, described.message))
        span.add_event("exception", described.event)  # as `record_exception` does, but for any class of exception
