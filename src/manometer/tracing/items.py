"""Work that crosses a queue: a trace that begins with an item is linked to the trace in which the item was put."""

from typing import Any, cast

from opentelemetry import trace
from opentelemetry.context import Context, create_key
from opentelemetry.trace import SpanContext, TraceFlags

from manometer.tracing import here
from manometer.tracing.place_span import PlaceSpan

__all__ = ["giver_here", "giver_of", "taken"]

_GIVER = create_key("manometer-giver")
"""The key of the span in which the item was put that was taken last, in a context in which no trace is under way."""


def giver_here() -> SpanContext | None:
    """The span that is under way, in which an item is put; None where none is recorded. Never raises."""
    if trace._TRACER_PROVIDER is None:
        return None
    span: Any = here.current().get(here.CURRENT)
    if span is None or type(span) is PlaceSpan:
        return None
    try:
        found: SpanContext = span.get_span_context()
        is_recorded = span.is_recording() and found.trace_flags & TraceFlags.SAMPLED
    except Exception:  # of the program's own span
        return None
    return found if is_recorded else None


def giver_of(context: Context) -> SpanContext | None:
    """The span to which a trace that begins in that context is linked."""
    return cast(SpanContext | None, context.get(_GIVER))


def taken(giver: SpanContext | None) -> None:
    """An item was taken here. giver: the span in which it was put. Never raises.

    Where a trace is under way, its span has the link; else those that begin here, until the next item is taken.
    """
    context = here.current()
    span: Any = context.get(here.CURRENT)
    try:
        if span is not None and span is not trace.INVALID_SPAN:
            if giver is not None and span.is_recording():
                span.add_link(giver)
        elif giver is not None:
            here.attach(Context({**context, _GIVER: giver}))
        elif _GIVER in context:
            here.attach(Context({key: value for key, value in context.items() if key != _GIVER}))
    except Exception:
        # Of the program's own span; or of an OpenTelemetry before 1.24, whose spans take no further links.
        return
