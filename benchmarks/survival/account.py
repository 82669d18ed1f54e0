"""What a worker counted, in memory that outlives a kill of the worker."""

import mmap
import os
from pathlib import Path

__all__ = ["Account"]

_TIMES = 1 << 16


class Account:
    """The events of one worker, and when the last ones came. Whoever opens the same file sees the same."""

    def __init__(self, path: Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        os.ftruncate(file, 8 * (2 + _TIMES))
        memory = memoryview(mmap.mmap(file, 0))
        os.close(file)
        self._numbers, self._times = memory[:16].cast("q"), memory[16:].cast("d")

    @property
    def counted(self) -> int:
        """How many events there were."""
        return self._numbers[0]

    @property
    def written(self) -> int:
        """How many of them the worker knows to be in its file."""
        return self._numbers[1]

    @written.setter
    def written(self, number: int) -> None:
        self._numbers[1] = number

    def add(self, now: float) -> None:
        """One more event came, at this time."""
        self._times[self._numbers[0] % _TIMES] = now
        self._numbers[0] += 1

    def time_of(self, number: int) -> float:
        """When the event of this number came, from 0; one of the last 65,536."""
        return self._times[number % _TIMES]
