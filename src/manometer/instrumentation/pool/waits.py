"""What every pool of resources has: requests that wait, and end with a resource, too late, or refused."""

from time import perf_counter

from manometer.instrumentation.binding import Binding
from manometer.meters.pending import InFlight

__all__ = ["Waits"]


class Waits:
    """Counts and times the requests of one pool: `asked`, then `answered` or `failed` with its time.

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
        self._requests = InFlight()
        self._waited = binding.histogram("pool.wait.duration").observe
        self._timed_out = binding.counter("pool.timeouts").tick
        self._rejected = binding.counter("pool.rejections").tick
        self._reused = binding.counter("pool.acquisitions", source="reused").tick
        self._created = binding.counter("pool.acquisitions", source="created").tick

    @property
    def pending(self) -> int:
        """Requests that have begun and are not over."""
        return self._requests.value

    def asked(self) -> float:
        """A request begins, at the time that is returned."""
        self._requests.began()
        return perf_counter()

    def answered(self, asked: float, *, created: bool) -> float:
        """It got a resource, made for it or not, at the time that is returned."""
        now = perf_counter()
        self._waited(now - asked)
        (self._created if created else self._reused)()
        self._requests.ended()
        return now

    def failed(self, asked: float, error: BaseException) -> None:
        """It got none."""
        self._waited(perf_counter() - asked)
        if isinstance(error, self._timeouts):
            self._timed_out()
        elif isinstance(error, self._refusals):
            self._rejected()
        self._requests.ended()
