"""gc: how often the cyclic garbage collector runs, what it frees, and how long the program stands still for it."""

import gc
from time import perf_counter
from typing import TYPE_CHECKING

from manometer.catalogue import runtime as rows
from manometer.meters.fork import Forked, renewed_in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from manometer.instrumentation.binding import Binding
    from manometer.registry.catalogued import Pulled

__all__ = ["Pauses"]

_COUNTS = {
    "collections": rows.GC_COLLECTIONS,
    "collected": rows.GC_COLLECTED,
    "uncollectable": rows.GC_UNCOLLECTABLE,
}


class Pauses:
    """A gc callback. Collections do not nest, so one starting time is enough for all threads."""

    observe: "list[Callable[[float], None]]"
    _started = 0.0

    def __init__(self) -> None:
        self._before = [dict.fromkeys(_COUNTS, 0)] * 3
        renewed_in_child(self)

    def begin(self, binding: "Binding") -> None:
        """Time every collection from now on."""
        # The series are made here and not on the first pause: the callback runs amid whatever allocated.
        self.observe = [
            binding.histogram(rows.GC_PAUSE, {"cpython.gc.generation": str(generation)}).observe
            for generation in range(3)
        ]
        gc.callbacks.append(self)

    def end(self) -> None:
        """Time no more."""
        gc.callbacks.remove(self)

    def renew(self, _: Forked) -> None:
        """Begin at zero in a forked child: what the collector has done so far, the parent counts."""
        self._before = gc.get_stats()

    def read(self) -> "Iterable[Pulled]":
        """What the collector did so far."""
        for generation, (now, before) in enumerate(zip(gc.get_stats(), self._before, strict=True)):
            for name, row in _COUNTS.items():
                yield row, {"cpython.gc.generation": str(generation)}, now[name] - before[name]

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._started = perf_counter()
        elif self._started:
            self.observe[info["generation"]](perf_counter() - self._started)
