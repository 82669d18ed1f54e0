"""What every pool of resources has: requests that wait, and end with a resource, too late, or refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from manometer.instrumentation.binding import Binding
from manometer.meters import Counter

__all__ = ["Waits"]


class Waits:
    """Counts and times the requests of one pool.

    timeouts: the exceptions that say that a request waited in vain; refusals: those that say that
    it was turned away. Any other says neither, and counts as none.
    """

    def __init__(
        self,
        binding: Binding,
        timeouts: tuple[type[BaseException], ...],
        refusals: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._timeouts, self._refusals = timeouts, refusals
        self._asked = Counter("asked", "Requests that began.", registry=None)
        self._answered = Counter("answered", "Requests that ended.", registry=None)
        self._waited: Callable[[float], None] = binding.histogram("pool.wait.duration").observe
        self._timed_out = binding.counter("pool.timeouts").inc
        self._rejected = binding.counter("pool.rejections").inc

    @property
    def pending(self) -> float:
        """Requests that have begun and not ended."""
        answered = self._answered.value  # read first, so that the difference is never negative
        return self._asked.value - answered

    @contextmanager
    def request(self) -> Iterator[None]:
        """Around one request for a resource."""
        self._asked.inc()
        started = perf_counter()
        try:
            yield
        except self._timeouts:
            self._timed_out()
            raise
        except self._refusals:
            self._rejected()
            raise
        finally:
            self._waited(perf_counter() - started)
            self._answered.inc()
