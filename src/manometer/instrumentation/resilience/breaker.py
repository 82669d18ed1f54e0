"""What an adapter of a circuit breaker declares: its state, and what counts its calls and changes of state."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from manometer.catalogue import resilience as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.adapters import listed
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.graft import Methods, graft, ungraft
from manometer.registry.catalogued import Pulled

__all__ = ["BreakerAdapter", "BreakerEvents", "BreakerState"]

T = TypeVar("T")
BreakerState = Literal["closed", "open", "half_open"]
"""What a circuit breaker is in."""

_STATES: tuple[BreakerState, ...] = ("closed", "open", "half_open")

_log = logging.getLogger("manometer")


class BreakerEvents:
    """What an adapter counts as it happens. What it does not ask for has no series."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding

    # What these give is one C call, which any thread may make at any time.

    def calls(self, outcome: Literal["ok", "error", "rejected"]) -> Callable[[], object]:
        """What to call for a call of that outcome; a rejected one is one that the breaker refused."""
        return self._binding.counter(rows.BREAKER_CALLS, {"breaker.call.outcome": outcome}).tick

    def changes(self, state: BreakerState) -> Callable[[], object]:
        """What to call for a change of the breaker's state to that one."""
        return self._binding.counter(rows.BREAKER_TRANSITIONS, {"breaker.state": state}).tick


@dataclass(frozen=True, kw_only=True)
class BreakerAdapter:
    """The adapter of a library's circuit breakers.

        breaker = BreakerAdapter(takes=foo.Breaker, state=lambda breaker: breaker.state, methods=methods)

    takes: their classes. state: tells the state of one, at each collection; None for a state that is none of the
    three. It must neither wait nor do I/O. methods: given the class of a breaker and the events, returns the methods
    that count; each of them calls the class's own.
    state_object: the attribute in which a breaker has an object for the state that it is in. Then `state` and
    `methods` are about that object. next_state: the breaker's method that makes the next one; each call is a change.
    """

    takes: type | tuple[type, ...]
    state: Callable[[Any], BreakerState | None]
    methods: Callable[[Any, BreakerEvents], Methods]
    state_object: str = ""
    next_state: str = ""

    def __call__(self, breaker: T, bind: Bind) -> T:
        """Measure a breaker; returns it."""
        if not isinstance(breaker, self.takes):
            raise UnsupportedError(f"{breaker!r} is no breaker of its library; pass {listed(self.takes)}")
        with bind(breaker) as binding:
            events = BreakerEvents(binding)
            plain = type(breaker)
            if self.next_state:
                graft(breaker, {self.next_state: self._next(getattr(plain, self.next_state), binding, events)})
                self._hear(self._hearer(breaker), binding, events)
                binding.undoes(lambda breaker: ungraft(self._hearer(breaker)))
            else:
                graft(breaker, self.methods(plain, events))
            binding.undoes(ungraft)
            binding.pulls(self._read)
        return breaker

    def _hearer(self, breaker: Any) -> Any:
        """What hears of each call: the breaker, or the object for its state."""
        return getattr(breaker, self.state_object) if self.state_object else breaker

    def _read(self, breaker: Any) -> Iterable[Pulled]:
        current = self.state(self._hearer(breaker))
        for state in _STATES:
            yield rows.BREAKER_STATE, {"breaker.state": state}, state == current

    def _next(self, make: Callable[..., Any], binding: Binding, events: BreakerEvents) -> Callable[..., Any]:
        """`make`, the method that makes the object for the next state, which hears of each call from then on."""
        changes = {state: events.changes(state) for state in _STATES}

        def next_state(breaker: Any, /, *args: Any, **kwargs: Any) -> Any:
            made = make(breaker, *args, **kwargs)
            state = self.state(made)
            if state is not None:
                changes[state]()
            self._hear(made, binding, events)
            return made

        return next_state

    def _hear(self, state: Any, binding: Binding, events: BreakerEvents) -> None:
        try:
            graft(state, self.methods(type(state), events))
        except Exception:
            _log.exception("the calls through breaker %s are not counted while it is %s", binding.path, state)
