"""OpenTelemetry's context of the code that runs: read, set and put back by one C call each where that can be."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from opentelemetry import context as trace_context
from opentelemetry import trace
from opentelemetry.context import Context

__all__ = ["CURRENT", "attach", "current", "detach"]

(CURRENT,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())
"""The key of a context's span: to look it up takes a third of what `trace.get_current_span` does."""

trace_context.get_current()  # old versions decide only then how they keep contexts
_kept: Any = getattr(getattr(trace_context, "_RUNTIME_CONTEXT", None), "_current_context", None)
_is_plain = isinstance(_kept, ContextVar)

current: Callable[[], Context] = _kept.get if _is_plain else trace_context.get_current
"""The context of the code that runs."""
attach: Callable[[Context], Any] = _kept.set if _is_plain else trace_context.attach
"""Make a context the current one; returns what `detach` takes."""
detach: Callable[[Any], None] = _kept.reset if _is_plain else trace_context.detach
"""Make the context from before current again. Raises ValueError in another context than that of `attach`."""
