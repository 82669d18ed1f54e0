"""Runs of functions that are under way, read off the stacks of threads: so a run need not say that it begins."""

import sys
from types import CodeType, FrameType
from typing import Any

__all__ = ["begun", "codes", "outermost"]

codes: set[CodeType] = set()
"""The code whose frames are runs: there, `series` is the stage, `start` its beginning, `note` that of its place.

A frame has no `start` before the run has begun, and no `note` where the run has a place of its own.
"""


def outermost(note: Any) -> Any:
    """The stage and the beginning of the outermost run in this thread that leaves its times to `note`; else None."""
    found = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code in codes:
            names = frame.f_locals
            if names.get("note") is note and "start" in names:
                found = names["series"], names["start"]
        frame = frame.f_back
    return found


def begun(stage: object) -> list[float]:
    """When the runs of that stage began that are under way in any thread."""
    found = []
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None:
            if frame.f_code in codes:
                names = frame.f_locals
                if names.get("series") is stage and "start" in names:
                    found.append(names["start"])
            frame = frame.f_back
    return found
