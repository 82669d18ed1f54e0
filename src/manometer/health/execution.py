"""How the function of a health check is run: in a thread, or on the program's event loop."""

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from manometer.health.finding import Finding
from manometer.health.on_loop import await_on, is_coroutine_function
from manometer.health.outcome import called

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["Ended", "Execution", "Spawn"]

Spawn = Callable[[Callable[[], None]], None]
"""Runs a function aside from the caller."""

Ended = Callable[[Finding | None], None]
"""Is told what a run found, None where it ended and nothing is known."""

_NO_LOOP = (
    "returned a coroutine, and its check knows no event loop; register it where the loop runs, or pass loop=..."
)
_OF_THE_PARENT = "its event loop is the parent process's; register it on a loop of this process"


class Execution:
    """The runs of one check, of which there is one at a time.

    loop: where coroutines are awaited; timeout: seconds after which one is cancelled.
    """

    def __init__(self, function: Callable[[], Any], timeout: float, loop: "AbstractEventLoop | None") -> None:
        self._function, self._timeout, self._loop = function, timeout, loop
        self._no_loop = _NO_LOOP
        self.needs_thread = not is_coroutine_function(function)
        """Whether a run begins in a thread, and not on the loop."""
        self.waits_for_loop = False
        """Whether the loop has yet to begin with the run under way."""

    def begin(self, spawn: Spawn, begun: Callable[[], None], ended: Ended) -> None:
        """Have a run begin soon: `begun` is called then, and `ended` with its end. Raises what `spawn` does."""
        if self.needs_thread:
            spawn(lambda: self._in_thread(begun, ended))
        else:
            self._on_loop(self._function, begun, ended)

    def leave_loop(self) -> None:
        """In a forked child: the loop runs in the parent alone."""
        self.waits_for_loop = False
        if self._loop is not None:
            self._loop, self._no_loop = None, _OF_THE_PARENT

    def _in_thread(self, begun: Callable[[], None], ended: Ended) -> None:
        begun()
        answer: Finding | Awaitable[Any] = Finding("failed, and cannot say how")
        try:
            answer = called(self._function)
        finally:  # whatever came of it, the check has a next time
            if isinstance(answer, Finding):
                ended(answer)
            elif not self._on_loop(lambda: answer, lambda: None, ended) and inspect.iscoroutine(answer):
                answer.close()  # or Python warns that nobody awaited it

    def _on_loop(self, make: Callable[[], Any], begun: Callable[[], None], ended: Ended) -> bool:
        """Have the loop await what `make` returns; whether there is one that does."""

        def entered() -> None:
            self.waits_for_loop = False
            begun()

        if self._loop is None:
            ended(Finding(self._no_loop))
            return False
        self.waits_for_loop = True
        try:
            await_on(self._loop, make, self._timeout, entered, ended)
        except RuntimeError:
            self.waits_for_loop = False
            ended(Finding("its event loop is closed"))
            return False
        return True
