"""A check of an event loop: whether it runs what is due, or something blocks it."""

import os
from collections.abc import Callable
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING

from manometer.errors import BindingError
from manometer.health import Finding, running_loop

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["loop_lag"]


def loop_lag(at_most: float = 1.0, *, loop: "AbstractEventLoop | None" = None) -> Callable[[], Finding]:
    """Whether an event loop answers. A loop that is blocked now has no figure of it yet, so the loop itself is asked.

    at_most: seconds that it may take. loop: by default the event loop that runs the caller.
    Raises BindingError where there is none.
    """
    asked = running_loop() if loop is None else loop
    if asked is None:
        raise BindingError("no event loop runs here; make the check in a coroutine of the program, or pass loop=...")
    if not at_most > 0:
        raise BindingError(f"the check of an event loop has at_most={at_most!r}; pass seconds over 0")
    process = os.getpid()

    def run() -> Finding:
        if os.getpid() != process:  # a loop and its copy in a forked child are woken by the same socket
            return Finding("its event loop is the parent process's; make the check on a loop of this process")
        answered, began = Event(), perf_counter()
        try:
            asked.call_soon_threadsafe(answered.set)
        except RuntimeError:
            return Finding("the event loop is closed")
        problem = None if answered.wait(at_most) else f"the event loop has not answered within {at_most:g} s"
        return Finding(problem, round(perf_counter() - began, 6), "s")

    return run
