"""Instrumentation of engine code: the stages that its work goes through."""

from manometer.instrumentation.engine.stage import stage

__all__ = ["stage"]
