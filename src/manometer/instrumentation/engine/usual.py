"""How long a run of a stage usually takes: what the last thousand or so say of the next."""

from math import inf

from manometer.meters import Histogram

__all__ = ["Usual"]

_RUNS = 1000  # that are enough to say what is usual: ten of them are the slowest hundredth
_SHARE = 0.99


class Usual:
    """Learns from a histogram, at each collection. slow_after: seconds that a run in a hundred exceeds, at most.

    It is the upper bound of the bucket with the 99th percentile. So a stage whose times vary little has no slow runs
    all the time. It is infinite until a thousand runs are known.
    """

    def __init__(self) -> None:
        self.slow_after = inf
        self._before: list[float] | None = None

    def learn(self, histogram: Histogram) -> bool:
        """Take in the runs since the last time; returns whether that changes what is slow."""
        running = list(histogram._read().running)
        before = self._before
        if before is None or running[-1] < before[-1]:  # at the beginning, and in a forked child
            self._before = before = [0] * len(running)
        runs = running[-1] - before[-1]
        if runs < _RUNS:
            return False
        self._before, known = running, self.slow_after
        counts = (now - then for now, then in zip(running, before, strict=True))
        self.slow_after = next(
            bound for bound, count in zip(histogram.bounds, counts, strict=True) if count >= _SHARE * runs
        )
        return self.slow_after != known
