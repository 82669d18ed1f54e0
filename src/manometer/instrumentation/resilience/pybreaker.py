"""pybreaker: the state of a circuit breaker, and what became of the calls through it."""

from collections.abc import Callable, Iterable
from typing import Any

import pybreaker
from prometheus_client import CollectorRegistry

from manometer.catalogue import resilience as rows
from manometer.instrumentation.binding import Binding, Subject
from manometer.instrumentation.graft import graft, ungraft
from manometer.meters.catalogued import Pulled

__all__ = ["instrument"]

_STATES = {"closed": "closed", "open": "open", "half-open": "half_open"}


def instrument(breaker: Any, *, name: str, registry: CollectorRegistry) -> None:
    """Listen to the breaker's calls and state changes; read its state when someone collects."""
    with Subject.on(registry, "resilience").binding(breaker, breaker=name) as binding:
        listener = _Listener(binding)
        breaker.add_listener(listener)
        graft(breaker, {"call": _call(type(breaker), binding, listener)})
        binding.pulls(_read)
        binding.undoes(ungraft)
        binding.undoes(lambda breaker: breaker.remove_listener(listener))


def _read(breaker: Any) -> Iterable[Pulled]:
    current = breaker.current_state
    for state, label in _STATES.items():
        yield rows.BREAKER_STATE, {"state": label}, state == current


def _call(plain: Any, binding: Binding, listener: "_Listener") -> Callable[..., Any]:
    """A call that tells a refusal from the failure that trips the breaker: both raise the same error."""
    rejected = binding.counter("breaker.calls", outcome="rejected").tick

    def call(self: Any, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._lock:  # which pybreaker holds during the call anyway
            attempts = listener.attempts
            try:
                return plain.call(self, func, *args, **kwargs)
            except pybreaker.CircuitBreakerError:
                if listener.attempts == attempts:
                    listener.attempts += 1  # the half-open trial is a call within a call: count it once
                    rejected()
                raise

    return call


class _Listener(pybreaker.CircuitBreakerListener):
    """Hears of each call; written under the breaker's own lock."""

    def __init__(self, binding: Binding) -> None:
        self.attempts = 0
        self._ok = binding.counter("breaker.calls", outcome="ok").tick
        self._error = binding.counter("breaker.calls", outcome="error").tick
        self._transitions = {
            state: binding.counter("breaker.transitions", state=label).tick for state, label in _STATES.items()
        }

    def before_call(self, cb: Any, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self.attempts += 1

    def success(self, cb: Any) -> None:  # noqa: ARG002
        self._ok()

    def failure(self, cb: Any, exc: BaseException) -> None:  # noqa: ARG002
        self._error()

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:  # noqa: ARG002
        self._transitions[new_state.name]()
