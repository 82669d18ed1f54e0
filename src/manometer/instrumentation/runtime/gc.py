"""gc: how long the program stands still for the cyclic garbage collector."""

import gc
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from manometer.catalogue import runtime as rows
from manometer.instrumentation.binding import Binding, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["instrument"]


def instrument(*, registry: CollectorRegistry) -> Binding:
    """Time every collection of the process, by generation; close the Binding to stop."""
    pauses = _Pauses()
    with Subject.on(registry, "runtime").binding(pauses) as binding:
        # Made here and not on the first pause: the callback runs in the midst of whatever allocated.
        pauses.observe = [
            binding.histogram(rows.GC_PAUSE, {"cpython.gc.generation": str(generation)}).observe
            for generation in range(3)
        ]
        gc.callbacks.append(pauses)
        binding.undoes(gc.callbacks.remove)
    return binding


class _Pauses:
    """A gc callback. Collections do not nest, so one starting time is enough for all threads."""

    observe: "list[Callable[[float], None]]"
    _started = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._started = perf_counter()
        elif self._started:
            self.observe[info["generation"]](perf_counter() - self._started)
