"""gc: how often the cyclic garbage collector runs, what it frees, and how long the program stands still for it."""

import gc
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from manometer.catalogue import runtime as rows
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.subject import Subject
from manometer.meters.fork import Forked, renewed_in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from manometer.registry.catalogued import Pulled

__all__ = ["instrument"]

_COUNTS = {
    "collections": rows.GC_COLLECTIONS,
    "collected": rows.GC_COLLECTED,
    "uncollectable": rows.GC_UNCOLLECTABLE,
}


def instrument(*, registry: CollectorRegistry) -> Binding:
    """Count and time every collection of the process, by generation; close the Binding to stop."""
    pauses = _Pauses()
    with Subject.on(registry, "runtime").binding(pauses) as binding:
        # Made here and not on the first pause: the callback runs in the midst of whatever allocated.
        pauses.observe = [
            binding.histogram(rows.GC_PAUSE, {"cpython.gc.generation": str(generation)}).observe
            for generation in range(3)
        ]
        gc.callbacks.append(pauses)
        binding.pulls(_Pauses.read)
        binding.undoes(gc.callbacks.remove)
    return binding


class _Pauses:
    """A gc callback. Collections do not nest, so one starting time is enough for all threads."""

    observe: "list[Callable[[float], None]]"
    _started = 0.0

    def __init__(self) -> None:
        self._before = [dict.fromkeys(_COUNTS, 0)] * 3
        renewed_in_child(self)

    def renew(self, _: Forked) -> None:
        """Begin at zero in a forked child: what the collector has done so far, the parent counts."""
        self._before = gc.get_stats()

    def read(self) -> "Iterable[Pulled]":
        for generation, (now, before) in enumerate(zip(gc.get_stats(), self._before, strict=True)):
            for name, row in _COUNTS.items():
                yield row, {"cpython.gc.generation": str(generation)}, now[name] - before[name]

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._started = perf_counter()
        elif self._started:
            self.observe[info["generation"]](perf_counter() - self._started)
