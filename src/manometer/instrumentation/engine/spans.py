"""The OpenTelemetry span of one run of a stage: opened where the trace is sampled, and nowhere else."""

import logging
from contextvars import Token
from typing import Any

from opentelemetry import context as trace_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags

__all__ = ["StageSpan", "is_traced", "open_span"]

_log = logging.getLogger("manometer")
_tracer = trace.get_tracer("manometer")
(_CURRENT,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())
"""The key of a context's span: to look it up takes a third of what `trace.get_current_span` does."""


class StageSpan:
    """A span that lasts as long as the run, and is the parent of what happens in it."""

    __slots__ = ("_span", "_token", "exemplar")

    def __init__(self, span: Span, token: Token[Any] | None) -> None:
        self._span = span
        self._token = token
        found = span.get_span_context()
        self.exemplar = _labels(found) if found.trace_flags.sampled else None
        """The labels that tie an observation to this span; None where the span is not sampled."""

    def close(self, error: BaseException | None) -> None:
        """End the span; never raises, whatever the host's tracer does."""
        try:
            if self._token is not None:
                trace_context.detach(self._token)
            if error is not None and self._span.is_recording():
                self._span.record_exception(error)
                self._span.set_attribute("error.type", type(error).__qualname__)
                self._span.set_status(Status(StatusCode.ERROR, str(error)))
            self._span.end()
        except Exception:
            _log.exception("the span of a stage could not be ended; it is lost")


def _labels(context: SpanContext) -> dict[str, str]:
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }


def is_traced() -> bool:
    """Whether a run may have a span here: it has none within a trace that is not sampled."""
    try:
        span: Any = trace_context.get_current().get(_CURRENT)
        if span is None:
            return True
        parent = span.get_span_context()
        return bool(parent.trace_flags & TraceFlags.SAMPLED) or not parent.is_valid
    except Exception:
        _log.exception("the span that a stage runs in tells nothing of itself; its trace goes on without it")
        return False


def open_span(engine: str, stage: str, *, current: bool) -> StageSpan | None:
    """Start the span of a run; None where the trace it would belong to is not sampled.

    A stage within a trace follows it: no span of its own under a parent that is not sampled. With no
    parent the host's sampler decides, and its answer is kept in the context for the stages within.
    current: whether the span is to be the parent of what follows in this context.
    """
    try:
        if not is_traced():
            return None
        span = _tracer.start_span(stage, attributes={"manometer.engine": engine, "manometer.stage": stage})
        if not span.get_span_context().is_valid:
            return None
        token = trace_context.attach(trace.set_span_in_context(span)) if current else None
        return StageSpan(span, token)
    except Exception:
        _log.exception("the span of stage %r could not be started; it is lost", stage)
        return None
