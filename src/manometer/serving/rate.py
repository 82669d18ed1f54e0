"""How many requests are answered in a while, by a bucket of tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

__all__ = ["Bucket", "Rate"]


@dataclass(frozen=True, slots=True)
class Rate:
    """interval: seconds from one request to the next, in the long run; burst: how many there may be at once."""

    interval: float
    burst: int = 1


class Bucket:
    """Holds up to `burst` tokens, and gets one each interval."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self.rate, self._clock = rate, clock
        self._tokens, self._filled = float(rate.burst), clock()
        self._lock = Lock()

    def take(self) -> bool:
        """Take a token for a request, if there is one."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self.rate.burst, self._tokens + (now - self._filled) / self.rate.interval)
            self._filled = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
