"""A clock that moves when a test says so."""

__all__ = ["ManualClock"]


class ManualClock:
    """A time in seconds, read by a call, as `time.perf_counter` is.

    Figures(clock=ManualClock()) has the waits, uses and loads measured by it; a cache with a time to live takes it as
    its timer.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let that time go by."""
        self.now += seconds
