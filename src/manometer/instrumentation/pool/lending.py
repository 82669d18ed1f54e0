"""What every pool that lends its resources has: requests that wait for one, what becomes of them, and uses."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from manometer.catalogue import pool as rows
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.pool.overlaps import Overlaps
from manometer.meters.outages import Outages
from manometer.meters.write_buffer import InFlight

__all__ = ["Lending"]

_SOURCE = "pool.acquisition.source"
_OUT_AT_MOST = 100_000  # resources whose time out of the pool is remembered


class Lending:
    """Counts and times the requests to one pool, and the uses of what it lends.

    timeouts: the exceptions that say that a request waited in vain; refusals: those that say that
    it was turned away. A pool with none of them has no such series. Any other exception counts as neither.
    reuses: whether the pool can lend a resource again; counts: whether it tells what it has created, without which
    nobody can say which of the two an acquisition was.
    """

    def __init__(
        self,
        binding: Binding,
        timeouts: tuple[type[BaseException], ...] = (),
        refusals: tuple[type[BaseException], ...] = (),
        *,
        reuses: bool = True,
        counts: bool = True,
    ) -> None:
        self._timeouts, self._refusals = timeouts, refusals
        self._requests = InFlight()
        outages, name = Outages(), binding.path
        self._untold = partial(
            outages.failed, "lent", "%s does not tell what it lends; such acquisitions are not counted", name
        )
        self._told = partial(outages.worked, "lent", "%s tells again what it lends", name)
        self._failing = outages.failing
        self._out: dict[int, float] = {}  # since when each resource is out, by its id
        self._overlaps = Overlaps()
        self._waited = binding.histogram(rows.WAIT_DURATION).observe
        self._used = binding.histogram(rows.USE_DURATION).observe
        self._timed_out = binding.counter(rows.TIMEOUTS).tick if timeouts else _nothing
        self._rejected = binding.counter(rows.REJECTIONS).tick if refusals else _nothing
        self._created: Callable[[], object] = _nothing
        self._reused: Callable[[], object] = _nothing
        if counts:
            self._created = self._reused = binding.counter(rows.ACQUISITIONS, {_SOURCE: "created"}).tick
            if reuses:
                self._reused = binding.counter(rows.ACQUISITIONS, {_SOURCE: "reused"}).tick

    @property
    def pending(self) -> int:
        """Requests that have begun and are not over."""
        return self._requests.value

    # Both wrappers are written out, with no call in between that is not needed: a pool may be asked more
    # often than anything else.

    def lends(
        self, take: Callable[..., Any], made: Callable[[Any], object], part: Callable[[Any], object] | None = None
    ) -> Callable[..., Any]:
        """`take`, the pool's method that lends a resource, with each call a request.

        made: what it says of the pool changes when a resource is created; where another thread's
        request creates one in the same moment, both count as created. part: of what `take` returns,
        that which comes back; by default it itself. Where one of the two raises, the pool's caller is
        not to suffer: the acquisition goes uncounted, and its use untimed.
        """
        out, overlapped, clock = self._out, self._overlaps.began, perf_counter
        began, over = self._requests.began, self._requests.ended
        waited, created, reused, failed = self._waited, self._created, self._reused, self._failed
        untold, told, failing = self._untold, self._told, self._failing

        def request(pool: Any, /, *args: Any, **kwargs: Any) -> Any:
            try:
                before = made(pool)
            except Exception:
                untold()
                before = None
            try:
                began()
                asked = clock()
                try:
                    resource = take(pool, *args, **kwargs)
                except BaseException as error:
                    failed(clock() - asked, error)
                    raise
                now = clock()
                waited(now - asked)
            finally:
                over()
            try:
                after = made(pool)
                lent = id(resource if part is None else part(resource))
            except Exception:
                untold()
                return resource
            if before is not None:
                if failing:
                    told()
                (created if after != before else reused)()
            if len(out) < _OUT_AT_MOST and out.setdefault(lent, now) is not now:
                overlapped(lent, resource if part is None else None, now)
            return resource

        return request

    def takes_back(self, release: Callable[..., Any]) -> Callable[..., Any]:
        """`release`, the pool's method that a resource comes back by, with each call the end of a use."""
        out, clock, used = self._out, perf_counter, self._used
        overlaps, ended = self._overlaps.uses, self._overlaps.ended

        def returned(pool: Any, /, *args: Any, **kwargs: Any) -> Any:
            resource = args[0] if args else next(iter(kwargs.values()), None)  # whatever the pool's name for it
            # First: once the resource is back, another thread may have it.
            since = ended(id(resource)) if overlaps else None
            if since is None:
                since = out.pop(id(resource), None)
            if since is not None:
                used(clock() - since)
            return release(pool, *args, **kwargs)

        return returned

    def _failed(self, waited: float, error: BaseException) -> None:
        self._waited(waited)
        if isinstance(error, self._timeouts):
            self._timed_out()
        elif isinstance(error, self._refusals):
            self._rejected()


def _nothing() -> None:
    """Counts what never happens."""
