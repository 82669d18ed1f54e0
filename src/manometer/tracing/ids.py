"""Ids of traces and spans, and the labels of an exemplar that leads to one."""

from random import Random

from opentelemetry import trace

from manometer.meters.fork import Forked, called_in_child

__all__ = ["chance", "exemplar_of", "new_span_id", "new_trace_id"]

chance = Random()  # noqa: S311 - ids are no secrets
"""A generator of our own: a program that seeds Python's with a fixed number would have all its traces share ids."""


@called_in_child
def _differ(_: Forked) -> None:
    """A forked child draws other numbers than its parent and its siblings."""
    chance.seed()


def new_trace_id() -> int:
    """Any but 0, which stands for none."""
    return chance.getrandbits(128) or 1


def new_span_id() -> int:
    """Any but 0, which stands for none."""
    return chance.getrandbits(64) or 1


def exemplar_of(trace_id: int, span_id: int) -> dict[str, str]:
    """The labels that tie an observation to a span."""
    return {"trace_id": trace.format_trace_id(trace_id), "span_id": trace.format_span_id(span_id)}
