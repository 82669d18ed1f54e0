"""The clock that durations are measured by: the interpreter's own, or one that a test moves."""

from collections.abc import Callable
from time import perf_counter
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry

__all__ = ["Clock", "clock_of", "measure_by"]

Clock = Callable[[], float]
"""What a call of tells the time, in seconds from any beginning."""

_clocks: WeakKeyDictionary[CollectorRegistry, Clock] = WeakKeyDictionary()


def clock_of(registry: CollectorRegistry) -> Clock:
    """The clock of what is instrumented on that registry."""
    return _clocks.get(registry, perf_counter)


def measure_by(registry: CollectorRegistry, clock: Clock) -> None:
    """Measure what is instrumented on the registry from now on by this clock."""
    _clocks[registry] = clock
