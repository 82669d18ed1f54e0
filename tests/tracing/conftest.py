"""Tracing, for the tests of stages and their spans."""

from tracers import traced, tracer

__all__ = ["traced", "tracer"]
