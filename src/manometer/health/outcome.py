"""What a run of a health check comes to: nothing, or the reason why something does not work."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from manometer.redaction import brief

__all__ = ["outcome"]


def outcome(function: Callable[[], Any], timeout: float) -> str | None:
    """Call the function; None where it says that all is well, else why it is not.

    timeout: seconds after which a coroutine is cancelled. Raises nothing, whatever the function raises.
    """
    try:
        answer = function()
        if inspect.isawaitable(answer):
            answer = _awaited(answer, timeout)
        return _problem(answer)
    except BaseException as error:  # SystemExit too: it would end the thread without a word
        return f"{type(error).__qualname__}: {_told(error)}"


def _awaited(answer: Awaitable[Any], timeout: float) -> Any:
    """What the coroutine returns, on a loop of this thread; past the time-out it is cancelled, and says so."""
    import asyncio  # slow to import, and only coroutines need it

    async def wait() -> Any:
        try:
            async with asyncio.timeout(timeout) as limit:
                return await answer
        except TimeoutError:
            if limit.expired():
                return f"was cancelled after its time-out of {timeout:g} s"
            raise

    return asyncio.run(wait())


def _problem(answer: Any) -> str | None:
    if answer is None or answer is True:
        return None
    if isinstance(answer, str):
        return brief(answer) or "failed, without a reason"
    if answer is False:
        return "failed"
    return f"returned {_shown(answer)}; a check returns None, True, False or a reason"


def _shown(answer: object) -> str:
    """The kind of an answer that makes no sense, and the answer itself where it is short; it is the program's."""
    kind = type(answer).__qualname__
    return f"{kind} {answer!r}" if isinstance(answer, int | float) else f"an object of class {kind}"


def _told(error: BaseException) -> str:
    """What an exception says, in one line; it is the program's, and may fail at that too."""
    try:
        return brief(str(error))
    except Exception:
        return "(its text cannot be had)"
