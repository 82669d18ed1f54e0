"""The interpreter: its garbage collector, and the exceptions that end where nobody handles them."""

from prometheus_client import CollectorRegistry

from manometer.instrumentation.binding import Binding
from manometer.instrumentation.runtime.gc import Pauses
from manometer.instrumentation.runtime.unhandled import Unhandled
from manometer.instrumentation.subject import Subject

__all__ = ["instrument"]


def instrument(*, registry: CollectorRegistry) -> Binding:
    """Count and time every collection, and count unhandled exceptions; close the Binding to stop."""
    pauses = Pauses()
    with Subject.on(registry, "runtime").binding(pauses) as binding:
        pauses.begin(binding)
        unhandled = Unhandled(binding)
        unhandled.begin()
        binding.pulls(Pauses.read)
        binding.undoes(lambda _: unhandled.end())
        binding.undoes(Pauses.end)
    return binding
