"""Whether a process leaks: the condition of the alert MemoryLeak, as the process itself sees it."""

from collections import deque

__all__ = ["Trend"]

_HOUR = 6  # periods
_START = 5  # periods in which a program gets what it needs
_RISE = 1.01  # in an hour, and in the one before
_GROWTH = 0.02  # in an hour, by the line through all


class Trend:
    """The least memory of each period of the last two hours.

    The figures are those of the rule's defaults: a program whose memory comes down in between leaks nothing.
    period: seconds, ten minutes but in tests.
    """

    def __init__(self, period: float) -> None:
        self._period = period
        self._floors: deque[int] = deque(maxlen=2 * _HOUR + 1)
        self._left_out = _START
        self._least: int | None = None
        self._ends: float | None = None

    def add(self, now: float, size: int) -> bool:
        """The memory now; whether a period has ended, so that it is worth asking again."""
        ended = self._ends is not None and now >= self._ends
        if ended:
            self._end_period()
        if self._ends is None or ended:
            self._ends, self._least = now + self._period, size
        self._least = size if self._least is None else min(self._least, size)
        return ended

    @property
    def grows(self) -> bool:
        """Whether the memory has grown for two hours, hour by hour, and by how much for one."""
        floors = self._floors
        if len(floors) < 2 * _HOUR + 1:
            return False
        first, middle, last = floors[0], floors[_HOUR], floors[-1]
        return last > _RISE * middle and middle > _RISE * first and self._an_hour() > _GROWTH * last

    def _an_hour(self) -> float:
        """Bytes an hour, by the line of least squares."""
        count = len(self._floors)
        mean_at, mean = (count - 1) / 2, sum(self._floors) / count
        along = sum((at - mean_at) * (floor - mean) for at, floor in enumerate(self._floors))
        return along / sum((at - mean_at) ** 2 for at in range(count)) * _HOUR

    def _end_period(self) -> None:
        if self._left_out:
            self._left_out -= 1
        elif self._least is not None:
            self._floors.append(self._least)
