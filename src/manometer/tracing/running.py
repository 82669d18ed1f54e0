"""Runs of functions that are under way, read off the stacks of threads: so a run need not say that it begins."""

import sys
from types import CodeType, FrameType
from typing import Any

__all__ = ["codes", "outermost"]

codes: set[CodeType] = set()
"""The code whose frames are runs: there, `series` is the stage, `start` its beginning, `note` that of its place."""


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
