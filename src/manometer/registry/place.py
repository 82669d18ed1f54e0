"""Where in the program a thread is: the line that its author can do something about."""

import sys
from types import FrameType

__all__ = ["place_of"]

_NOT_THE_PROGRAM_S = sys.stdlib_module_names | {"manometer", "prometheus_client"}
"""A program hangs in a lock or a socket of the standard library. The line that called them tells which."""


def place_of(thread: int) -> str:
    """The innermost line that the program runs in this thread; where it runs none, the innermost of all."""
    innermost = frame = sys._current_frames().get(thread)
    while frame is not None and not _is_the_program_s(frame):
        frame = frame.f_back
    found = frame or innermost
    return "a place that is not known" if found is None else f"line {found.f_lineno} of {found.f_code.co_filename}"


def _is_the_program_s(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__")
    # Code that was compiled from a text, as that of a namedtuple, may have no name of a module.
    return isinstance(module, str) and module.partition(".")[0] not in _NOT_THE_PROGRAM_S
