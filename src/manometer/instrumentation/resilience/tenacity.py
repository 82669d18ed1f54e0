"""tenacity: every attempt of a retried operation, by what came of it."""

from typing import Any

import tenacity

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.graft import Methods
from manometer.instrumentation.resilience.retry import RetryAdapter, RetryEvents

__all__ = ["retry"]


def _retrying(target: Any) -> Any:
    """The object of tenacity's that retries: the target itself, or what a decorated function holds."""
    found = target if isinstance(target, tenacity.BaseRetrying) else getattr(target, "retry", None)
    return found if isinstance(found, tenacity.BaseRetrying) else None


def _decisions(plain: Any, events: RetryEvents) -> Methods:
    """The two steps, each of which counts the attempt that it ends.

    tenacity runs them on a state that is the thread's own. Both are plain methods of asynchronous
    retries too. The program may replace its predicate or its stop at any time: neither is touched.
    """
    ok, retried, exhausted = events.attempts("ok"), events.attempts("retried"), events.attempts("exhausted")

    def _post_retry_check_actions(self: Any, state: tenacity.RetryCallState) -> Any:
        asked = self.iter_state
        if not (asked.is_explicit_retry or asked.retry_run_result):
            (exhausted if _failed(state) else ok)()
        return plain._post_retry_check_actions(self, state)

    def _post_stop_check_actions(self: Any, state: tenacity.RetryCallState) -> Any:
        (exhausted if self.iter_state.stop_run_result else retried)()
        return plain._post_stop_check_actions(self, state)

    return {
        "_post_retry_check_actions": _post_retry_check_actions,
        "_post_stop_check_actions": _post_stop_check_actions,
    }


def _failed(state: tenacity.RetryCallState) -> bool:
    # What `state.outcome.failed` says of a future that is done, without the future's lock.
    return state.outcome is not None and state.outcome._exception is not None


_retries = RetryAdapter(takes=tenacity.BaseRetrying, methods=_decisions, retry_of=_retrying)


def retry(target: Any, bind: Bind) -> Any:
    """Count each attempt.

    A copy that `copy()` or `retry_with()` makes later belongs to the same operation: its attempts count
    too. Where `enabled` is false, tenacity takes no part in the call, and nothing counts.
    """
    if _retrying(target) is None:
        raise UnsupportedError(f"{target!r} is not retried by tenacity; decorate it with tenacity.retry first")
    return _retries(target, bind)
