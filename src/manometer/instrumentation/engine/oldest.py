"""Since when the oldest run of a stage is under way."""

from collections.abc import Iterator
from typing import Any

from manometer.meters.write_buffer import InFlight
from manometer.tracing.running import begun

__all__ = ["oldest"]


def oldest(series: object, runs: InFlight) -> float | None:
    """When it began, by the stage's clock; None where that cannot be told, as of a greenlet that waits.

    A run that an object stands for tells it. The others are calls of functions, which are on the stack of a thread:
    so they cost nothing while nobody asks.
    """
    held = tuple(runs.held)
    begins = [*_told(held)]
    if runs.value > len(held):
        begins += begun(series)
    return min(begins, default=None)


def _told(held: tuple[Any, ...]) -> Iterator[float]:
    for tie in held:
        began = getattr(tie(), "began", None)
        if began is not None:
            yield began
