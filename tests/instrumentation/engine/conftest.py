"""Tracing, for the tests of stages and their spans."""

from tracers import recorded, traced, tracer

__all__ = ["recorded", "traced", "tracer"]
