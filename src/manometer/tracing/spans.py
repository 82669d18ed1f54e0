"""The OpenTelemetry span of one run of a stage: opened where the trace is sampled, and nowhere else."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from opentelemetry import context as trace_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags

from manometer.meters.outages import Outages
from manometer.tracing.error_type import error_type

if TYPE_CHECKING:
    from contextvars import Token

__all__ = ["StageSpan", "open_span"]

_tracer = trace.get_tracer("manometer")
(_CURRENT,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())
"""The key of a context's span: to look it up takes a third of what `trace.get_current_span` does."""

_outages = Outages()
_open: set[ReferenceType["StageSpan"]] = set()
"""The spans whose end nobody has told yet."""


class StageSpan:
    """A span that lasts as long as the run, and is the parent of what happens in it.

    Where the run is abandoned, because a signal handler raised before `close` could begin, the span ends with
    this object.
    """

    __slots__ = ("__weakref__", "_before", "_span", "_tie", "_token", "exemplar")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._before = trace_context.get_current()
        self._token: Token[Any] | None = None
        found = span.get_span_context()
        self.exemplar = _labels(found) if found.trace_flags.sampled else None
        """The labels that tie an observation to this span; None where the span is not sampled."""
        self._tie = ref(self, partial(_abandoned, span, self._before))
        _open.add(self._tie)

    def make_current(self) -> None:
        """Make the span the parent of what follows in this context."""
        self._token = trace_context.attach(trace.set_span_in_context(self._span))

    def close(self, error: BaseException | None) -> None:
        """End the span; never raises, whatever the host's tracer does."""
        worked = _tried(self._leave)
        if error is not None:
            worked &= _tried(partial(_describe, self._span, error))
        worked &= _tried(self._span.end)
        if worked:
            _outages.worked("end", "the spans of stages are ended in full again")
        _open.discard(self._tie)
        del self._tie  # the last hold on it: nothing is called when this object goes

    def _leave(self) -> None:
        if self._token is None:
            _put_back(self._span, self._before)
        else:
            trace_context.detach(self._token)


def _abandoned(span: Span, before: Context, tie: ReferenceType[StageSpan]) -> None:
    """End the span of a run that nobody ended."""
    _open.discard(tie)
    _tried(partial(_put_back, span, before))
    _tried(lambda: span.is_recording() and span.end())  # the SDK logs a second end


def _tried(step: Callable[[], object]) -> bool:
    """Whether the tracer took this step of a span's end."""
    try:
        step()
    except Exception:
        _outages.failed("end", "the spans of stages cannot be ended in full; their ends are lost until they can")
        return False
    return True


def _put_back(span: Span, before: Context) -> None:
    """Make the context from before the span current, if the span is current here."""
    if trace_context.get_current().get(_CURRENT) is span:
        trace_context.attach(before)


def _describe(span: Span, error: BaseException) -> None:
    if span.is_recording():
        span.set_attribute("error.type", error_type(error))
        span.set_status(Status(StatusCode.ERROR, str(error)))
        span.record_exception(error)


def _labels(context: SpanContext) -> dict[str, str]:
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }


def open_span(engine: str, stage: str, *, current: bool) -> StageSpan | None:
    """Start the span of a run; None where the trace it would belong to is not sampled.

    A stage within a trace follows it: no span of its own under a parent that is not sampled. With no
    parent the host's sampler decides, and its answer is kept in the context for the stages within.
    current: whether the span is to be the parent of what follows in this context.
    """
    opened = None
    try:
        parent: Any = trace_context.get_current().get(_CURRENT)
        if parent is not None:
            found = parent.get_span_context()
            if found.is_valid and not found.trace_flags & TraceFlags.SAMPLED:
                return None
        span = _tracer.start_span(stage, attributes={"engine.name": engine, "engine.stage.name": stage})
        if not span.get_span_context().is_valid:
            return None
        opened = StageSpan(span)
        if current:
            opened.make_current()
    except BaseException as error:
        if opened is not None:
            opened.close(error)
        if not isinstance(error, Exception):
            raise
        _outages.failed("start", "the spans of stages cannot be started; they are lost until they can")
        return None
    _outages.worked("start", "the spans of stages can be started again")
    return opened
