"""What a run of a health check comes to: nothing, or the reason why something does not work."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from manometer.health.finding import Finding
from manometer.redaction import brief

__all__ = ["called", "failed", "found"]

_EXACT = 2**53  # whole numbers up to this one are the same in every reader of JSON


def called(function: Callable[[], Any]) -> Finding | Awaitable[Any]:
    """Call the function; what it found, or what is to be awaited for that. Raises nothing of the function's."""
    try:
        answer = function()
        return answer if inspect.isawaitable(answer) else found(answer)
    except BaseException as error:  # SystemExit too: it would end the thread without a word
        return failed(error)


def found(answer: Any) -> Finding:
    """What the answer of a check means."""
    if isinstance(answer, Finding):
        problem = None if answer.problem is None else _reason(str(answer.problem))
        return Finding(problem, _measured(answer.value), brief(str(answer.unit)), brief(str(answer.measurement)))
    if answer is None or answer is True:
        return Finding()
    if isinstance(answer, str):
        return Finding(_reason(answer))
    if answer is False:
        return Finding("failed")
    return Finding(f"returned {_shown(answer)}; a check returns None, True, False, a reason or a Finding")


def failed(error: BaseException) -> Finding:
    """What the exception of a check means."""
    return Finding(f"{type(error).__qualname__}: {_told(error)}")


def _reason(text: str) -> str:
    return brief(text) or "failed, without a reason"


def _measured(value: object) -> float | str | None:
    """A value that can be shown as JSON; it is the program's, and may be anything."""
    if value is None:
        return None
    try:
        if isinstance(value, int) and abs(value) <= _EXACT:
            return value
        return brief(value) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except Exception:
        return f"an object of class {type(value).__qualname__}"


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
