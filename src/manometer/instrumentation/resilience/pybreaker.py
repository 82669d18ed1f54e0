"""pybreaker: the state of a circuit breaker, and what became of the calls through it."""

from collections.abc import Callable, Mapping
from typing import Any

import pybreaker

from manometer.instrumentation.graft import Methods
from manometer.instrumentation.resilience.breaker import BreakerAdapter, BreakerEvents, BreakerState

__all__ = ["breaker"]

_STATES: Mapping[str, BreakerState] = {"closed": "closed", "open": "open", "half-open": "half_open"}


def _counted(plain: Any, events: BreakerEvents) -> Methods:
    """The methods that pybreaker calls about each call; it takes an excluded exception for a success."""
    ok, error, rejected = events.calls("ok"), events.calls("error"), events.calls("rejected")

    def on_success(self: Any) -> None:
        ok()
        plain.on_success(self)

    def on_failure(self: Any, exc: BaseException) -> None:
        error()
        plain.on_failure(self, exc)

    def before_call(self: Any, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return plain.before_call(self, func, *args, **kwargs)
        except pybreaker.CircuitBreakerError:
            # A trial call raises the same error from in here, but a half-open state came first.
            if self._breaker._state is self:
                rejected()
            raise

    return {"on_success": on_success, "on_failure": on_failure, "before_call": before_call}


breaker = BreakerAdapter(
    takes=pybreaker.CircuitBreaker,
    state=lambda state: _STATES.get(state.name),
    methods=_counted,
    state_object="_state",  # what this process saw last: `current_state` would ask the storage, such as Redis
    next_state="_create_new_state",
)
