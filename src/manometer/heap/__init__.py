"""What a program's memory is taken by: which call sites take ever more of it."""

from manometer.heap.report import memory_report

__all__ = ["memory_report"]
