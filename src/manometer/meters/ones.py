"""Events that count one each: a C iterator counts them, so that nothing is kept for a fold."""

from collections.abc import Callable, Iterator
from itertools import count, repeat
from operator import length_hint

from manometer.meters.fork import notice_aside

__all__ = ["CHUNK", "Ones", "Ticks"]

CHUNK = 256
"""Ones after which a writer does what it has to do now and then."""


class Ticks:
    """Counts by ones. `tick()` is a single C call, which no other thread and no signal can cut in two."""

    __slots__ = ("_count", "tick")

    def __init__(self) -> None:
        self._count = count()
        self.tick: Callable[[], object] = self._count.__next__

    @property
    def value(self) -> int:
        """How many ticks there were."""
        text = repr(self._count)  # "count(7)": the one way to look without counting
        return 0 if text == "count(0)" else int(text[6:-1])  # most counters never tick


class Ones:
    """Counts by ones in chunks: `next(chunk, False)` counts one, and is False where the chunk is full.

    A writer holds its chunk itself. Where that is full, it counts by `after(chunk)` and goes on with what it returns.
    """

    __slots__ = ("_full", "chunk")

    def __init__(self) -> None:
        self._full = 0  # ones in chunks that are full
        self.chunk: Iterator[bool] = repeat(True, CHUNK)

    def after(self, chunk: Iterator[bool]) -> Iterator[bool]:
        """Count one after that chunk, which is full; returns the chunk that is not.

        Raises RecursionError where the stack has no room for that, and has not counted.
        """
        notice_aside()
        while not next(chunk, False):
            fresh: Iterator[bool] = repeat(True, CHUNK)
            if self.chunk is chunk:  # else another thread or a signal handler was faster
                self.chunk, self._full = fresh, self._full + CHUNK
            chunk = self.chunk
        return chunk

    @property
    def value(self) -> int:
        """How many there were."""
        chunk, full = self.chunk, self._full  # together, with no call in between
        return full + CHUNK - length_hint(chunk)
