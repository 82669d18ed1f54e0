"""What a check is about: instrumented objects, whose own alerts come before that of the check."""

from collections.abc import Callable
from typing import Any

from manometer.catalogue.health import UP
from manometer.errors import BindingError
from manometer.health import About
from manometer.instrumentation.binding import Binding

__all__ = ["about"]


def about(function: Callable[[], Any], *objects: object) -> Callable[[], Any]:
    """The same check, which names the pool and the circuit breaker that it needs.

        check("orders", checks.about(ask_for_orders, engine, breaker))

    While an alert tells that this pool turns requests away, or that this breaker is open, HealthCheckFailing is not
    raised for the check: one fault, one page. `checks.pool`, `checks.breaker` and `checks.database` do this by
    themselves, the last one for an engine that is instrumented already.
    objects: instrumented objects or their Bindings, a pool and a circuit breaker at most.
    Raises BindingError where an object is not instrumented, or is something else.
    """
    subjects: dict[str, str] = {}
    for each in objects:
        attributes = (each if isinstance(each, Binding) else Binding.of(each)).attributes
        found = {name: attributes[name] for name in UP.optional if name in attributes}
        if not found or found.keys() & subjects.keys():
            raise BindingError(
                f"{type(each).__qualname__} is neither a pool nor a circuit breaker, or the second of its kind; "
                "pass one of each at most"
            )
        subjects |= found
    return About(function, subjects)
