"""Ids of traces and spans, and the labels of an exemplar that leads to one."""

from random import getrandbits

from opentelemetry import trace

__all__ = ["exemplar_of", "new_span_id", "new_trace_id"]


def new_trace_id() -> int:
    """Any but 0, which stands for none."""
    return getrandbits(128) or 1


def new_span_id() -> int:
    """Any but 0, which stands for none."""
    return getrandbits(64) or 1


def exemplar_of(trace_id: int, span_id: int) -> dict[str, str]:
    """The labels that tie an observation to a span."""
    return {"trace_id": trace.format_trace_id(trace_id), "span_id": trace.format_span_id(span_id)}
