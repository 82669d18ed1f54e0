"""pybreaker: the state of a circuit breaker, and what became of the calls through it."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import pybreaker

from manometer.catalogue import resilience as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.graft import graft, ungraft
from manometer.registry.catalogued import Pulled

__all__ = ["breaker"]

_log = logging.getLogger("manometer")

_STATES = {"closed": "closed", "open": "open", "half-open": "half_open"}


def breaker(target: Any, bind: Bind) -> Any:
    """Count at the breaker's state objects, which hear of every call; read its state when someone collects.

    A state object lives from one change of the state to the next, so each new one gets the graft too.
    """
    with bind(target) as binding:
        hear = _hearer(binding)
        graft(target, {"_create_new_state": _create_new_state(type(target), binding, hear)})
        hear(target._state)
        binding.pulls(_read)
        binding.undoes(ungraft)
        binding.undoes(lambda target: ungraft(target._state))
    return target


def _read(breaker: Any) -> Iterable[Pulled]:
    """The state that this process saw last: `breaker.current_state` would ask the storage, such as Redis."""
    current = breaker._state.name
    for state, label in _STATES.items():
        yield rows.BREAKER_STATE, {"breaker.state": label}, state == current


def _create_new_state(plain: Any, binding: Binding, hear: Callable[[Any], None]) -> Callable[..., Any]:
    changed = {
        state: binding.counter(rows.BREAKER_TRANSITIONS, {"breaker.state": label}).tick
        for state, label in _STATES.items()
    }

    def _create_new_state(self: Any, new_state: str, *args: Any, **kwargs: Any) -> Any:
        state = plain._create_new_state(self, new_state, *args, **kwargs)
        count = changed.get(new_state)  # None for a state of a subclass's own
        if count is not None:
            count()
        hear(state)
        return state

    return _create_new_state


def _hearer(binding: Binding) -> Callable[[Any], None]:
    """What has a state object count the calls through it, at the methods that pybreaker calls about each.

    pybreaker takes an excluded exception for a success.
    """
    ok, error, rejected = (
        binding.counter(rows.BREAKER_CALLS, {"breaker.call.outcome": outcome}).tick
        for outcome in ("ok", "error", "rejected")
    )

    def hear(state: Any) -> None:
        plain = type(state)

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

        try:
            graft(state, {"on_success": on_success, "on_failure": on_failure, "before_call": before_call})
        except UnsupportedError:
            _log.exception("the calls through breaker %s are not counted while it is %s", binding.path, state)

    return hear
