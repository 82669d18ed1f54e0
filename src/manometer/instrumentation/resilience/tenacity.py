"""tenacity: every attempt of a retried operation, by what came of it."""

import functools
from collections.abc import Callable
from typing import Any

import tenacity
from prometheus_client import CollectorRegistry

from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Subject

__all__ = ["instrument"]


def instrument(target: Any, *, operation: str, registry: CollectorRegistry) -> None:
    """Listen to the two questions that tenacity asks after an attempt: again? and, if so, enough?

    Not again, without an exception: the attempt was well. Again, and not enough: it is retried.
    Anything else: the operation has failed for good.
    """
    retrying = target if isinstance(target, tenacity.BaseRetrying) else getattr(target, "retry", None)
    if not isinstance(retrying, tenacity.BaseRetrying):
        raise UnsupportedError(f"{target!r} is not retried by tenacity; decorate it with tenacity.retry first")
    again: Any = retrying.retry
    enough: Any = retrying.stop
    with Subject.on(registry, "resilience").binding(target, owned=retrying, operation=operation) as binding:
        count = {
            outcome: binding.counter("retry.attempts", outcome=outcome).tick
            for outcome in ("ok", "retried", "exhausted")
        }

        def asked_again(state: tenacity.RetryCallState, again: object) -> None:
            if not again:
                count["exhausted" if _failed(state) else "ok"]()

        def asked_enough(_state: tenacity.RetryCallState, enough: object) -> None:
            count["exhausted" if enough else "retried"]()

        def undo(_target: Any) -> None:
            retrying.retry, retrying.stop = again, enough

        retrying.retry = _overheard(again, asked_again)
        retrying.stop = _overheard(enough, asked_enough)
        binding.undoes(undo)


def _failed(state: tenacity.RetryCallState) -> bool:
    # What `state.outcome.failed` says of a future that is done, without the future's lock.
    return state.outcome is not None and state.outcome._exception is not None


def _overheard(question: Any, hear: Callable[[tenacity.RetryCallState, object], None]) -> Any:
    """The question, with its answer told to `hear`; asynchronous where the question is."""
    if tenacity._utils.is_coroutine_callable(question):

        async def ask_async(state: tenacity.RetryCallState) -> object:
            answer: object = await question(state)
            hear(state, answer)
            return answer

        return functools.update_wrapper(ask_async, question, assigned=())

    def ask(state: tenacity.RetryCallState) -> object:
        answer: object = question(state)
        hear(state, answer)
        return answer

    return functools.update_wrapper(ask, question, assigned=())
