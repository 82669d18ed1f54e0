"""Coroutines of health checks, awaited on the program's own event loop."""

import inspect
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from manometer.health.finding import Finding
from manometer.health.outcome import failed, found

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

__all__ = ["await_on", "is_coroutine_function", "running_loop"]


def running_loop() -> "AbstractEventLoop | None":
    """The event loop that runs this code, or None."""
    asyncio = sys.modules.get("asyncio")  # slow to import, and without it there is no loop
    try:
        loop: AbstractEventLoop | None = None if asyncio is None else asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop


def is_coroutine_function(function: Callable[[], Any]) -> bool:
    """Whether a call makes a coroutine and does nothing else, as that of an `async def`, or of such a `__call__`."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def await_on(
    loop: "AbstractEventLoop",
    make: Callable[[], Any],
    timeout: float,
    begun: Callable[[], object],
    ended: Callable[[Finding | None], object],
) -> None:
    """Have the loop await what `make` returns. It calls `begun` and `ended`.

    timeout: seconds after which it is cancelled. ended: is given what was found, None where the loop itself ends.
    Raises RuntimeError where the loop is closed.
    """
    import asyncio  # slow to import, and only coroutines need it

    async def wait() -> Finding:
        begun()
        try:
            async with asyncio.timeout(timeout) as limit:
                return found(await make())
        except TimeoutError as error:
            return Finding(f"was cancelled after its time-out of {timeout:g} s") if limit.expired() else failed(error)
        except Exception as error:  # SystemExit passes: a signal handler of the program's may have raised it here
            return failed(error)

    def begin() -> None:
        task = loop.create_task(wait(), name="manometer-check")
        _tasks.add(task)
        task.add_done_callback(end)

    def end(task: "Task[Finding]") -> None:
        _tasks.discard(task)
        ended(None if task.cancelled() or task.exception() is not None else task.result())

    loop.call_soon_threadsafe(begin)


_tasks: "set[Task[Finding]]" = set()
"""Those under way: a loop itself keeps none of its tasks alive."""
