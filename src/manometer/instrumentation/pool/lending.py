"""What every pool that lends its resources has: requests that wait for one, what becomes of them, and uses."""

from collections.abc import Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from manometer.catalogue import pool as rows
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.pool.block import block_of
from manometer.instrumentation.pool.creations import Creations
from manometer.instrumentation.stays import Stays
from manometer.meters.outages import Outages
from manometer.meters.write_buffer import InFlight

__all__ = ["Failures", "Lending"]

Began = Callable[[int, object, float], None]
Part = Callable[[Any], object]
Failures = tuple[type[BaseException], ...] | Callable[[BaseException], bool]
"""Exceptions by their classes; or what says of one, where a class is of others too."""


class Lending:
    """Counts and times the requests to one pool, and the uses of what it lends.

    timeouts: the exceptions that say that a request waited in vain; rejections: those that say that
    it was turned away. A pool with none of them has no such series. Any other exception counts as neither.
    creations: tells which requests got a new resource; a pool without it has no series of acquisitions, as nobody can
    say which of the two kinds one was. times_creation: whether `creates` will be put to use. reuses: whether the pool
    can lend a resource again. awaited: whether to await the methods, where they do not look it.
    """

    def __init__(
        self,
        binding: Binding,
        *,
        timeouts: Failures = (),
        rejections: Failures = (),
        creations: Creations | None = None,
        times_creation: bool = False,
        reuses: bool = True,
        awaited: bool = False,
    ) -> None:
        self._clock, self._awaited = binding.clock, awaited
        self._is_timeout, self._is_rejection, self._creations = _told_by(timeouts), _told_by(rejections), creations
        self._requests, self._stays = InFlight(), Stays(binding.clock)
        outages, name = Outages(), binding.path
        self._untold = partial(
            outages.failed, "lent", "%s does not tell what it lends; such acquisitions are not counted", name
        )
        self._told = partial(outages.worked, "lent", "%s tells again what it lends", name)
        self._failing = outages.failing
        self._waited = binding.histogram(rows.WAIT_DURATION).observe
        self._used = binding.histogram(rows.USE_DURATION).observe
        self._took = binding.histogram(rows.CREATE_DURATION).observe if times_creation else _unmeasured
        self._timed_out = binding.counter(rows.TIMEOUTS).tick if timeouts else _nothing
        self._rejected = binding.counter(rows.REJECTIONS).tick if rejections else _nothing
        self._created: Callable[[], object] = _nothing
        self._reused: Callable[[], object] = _nothing
        if creations is not None:
            self._created = self._reused = binding.counter(
                rows.ACQUISITIONS, {"pool.acquisition.source": "created"}
            ).tick
            if reuses:
                self._reused = binding.counter(rows.ACQUISITIONS, {"pool.acquisition.source": "reused"}).tick

    @property
    def pending(self) -> int:
        """Requests that have begun and are not over."""
        return self._requests.value

    # The wrappers are written out, with no call in between that is not needed: a pool may be asked more
    # often than anything else. A method that is a coroutine stays one.

    def lends(
        self, take: Callable[..., Any], part: Part | None = None, began_use: Began | None = None
    ) -> Callable[..., Any]:
        """`take`, the pool's method that lends a resource, with each call a request.

        part: of what `take` returns, that which comes back; by default it itself. began_use: remembers since when
        it is out, where `takes_back` is not to end its use.
        """
        began, over, waited, clock = self._requests.began, self._requests.ended, self._waited, self._clock
        failed, lent = self._failed, self._lent(part, began_use)

        def request(pool: Any, /, *args: Any, **kwargs: Any) -> Any:
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
            lent(pool, resource, now)
            return resource

        async def request_later(pool: Any, /, *args: Any, **kwargs: Any) -> Any:
            try:
                began()
                asked = clock()
                try:
                    resource = await take(pool, *args, **kwargs)
                except BaseException as error:
                    failed(clock() - asked, error)
                    raise
                now = clock()
                waited(now - asked)
            finally:
                over()
            lent(pool, resource, now)
            return resource

        return request_later if self._awaited or iscoroutinefunction(take) else request

    def takes_back(self, release: Callable[..., Any]) -> Callable[..., Any]:
        """`release`, the pool's method that a resource comes back by, with each call the end of a use."""
        ended, used, clock = self._stays.ended, self._used, self._clock
        out, uses, overlap_ended = self._stays.since, self._stays.overlaps.uses, self._stays.overlaps.ended

        def returned(pool: Any, /, *args: Any, **kwargs: Any) -> Any:
            resource = args[0] if args else next(iter(kwargs.values()), None)  # whatever the pool's name for it
            # First: once the resource is back, another thread may have it.
            since = overlap_ended(id(resource)) if uses else None
            if since is None:
                since = out.pop(id(resource), None)
            if since is not None:
                used(clock() - since)
            return release(pool, *args, **kwargs)

        async def returned_later(pool: Any, /, *args: Any, **kwargs: Any) -> Any:
            resource = args[0] if args else next(iter(kwargs.values()), None)
            seconds = ended(id(resource))
            if seconds is not None:
                used(seconds)
            return await release(pool, *args, **kwargs)

        return returned_later if self._awaited or iscoroutinefunction(release) else returned

    def lends_for_a_block(self, lend: Callable[..., Any]) -> Callable[..., Any]:
        """`lend`, the pool's method that gives a context manager: to enter it is a request, the block a use."""

        @wraps(lend)
        def block(pool: Any, /, *args: Any, **kwargs: Any) -> Any:
            return block_of(lend(pool, *args, **kwargs), pool, self.lends, self._used, self._clock)

        return block

    def creates(self, create: Callable[..., Any]) -> Callable[..., Any]:
        """`create`, what the pool makes a new resource by, timed; it has to tell the creations, too."""
        took, clock = self._took, self._clock
        made_one = _nothing if self._creations is None else self._creations.made_one

        def timed(*args: Any, **kwargs: Any) -> Any:
            started = clock()
            resource = create(*args, **kwargs)
            took(clock() - started)
            made_one()
            return resource

        async def timed_later(*args: Any, **kwargs: Any) -> Any:
            started = clock()
            resource = await create(*args, **kwargs)
            took(clock() - started)
            made_one()
            return resource

        return timed_later if iscoroutinefunction(create) else timed

    def _lent(self, part: Part | None, began_use: Began | None) -> Callable[[Any, Any, float], None]:
        """What to do when a resource is lent.

        Where the pool does not tell what it lends, its caller does not suffer: the acquisition goes uncounted, and
        its use untimed.
        """
        creations = self._creations or Creations(None, _none)
        made_of, claim = creations.made, creations.claim
        failing, began = self._failing, began_use or self._stays.began
        created, reused, told, untold = self._created, self._reused, self._told, self._untold

        def lent(pool: Any, resource: Any, now: float) -> None:
            try:
                made = made_of(pool)
                key = id(resource if part is None else part(resource))
            except Exception:
                untold()
                return
            if failing:
                told()
            (created if made != creations.claimed and claim(made) else reused)()
            began(key, resource if part is None else None, now)

        return lent

    def _failed(self, waited: float, error: BaseException) -> None:
        self._waited(waited)
        if self._is_timeout(error):
            self._timed_out()
        elif self._is_rejection(error):
            self._rejected()


def _told_by(failures: Failures) -> Callable[[BaseException], bool]:
    return failures if callable(failures) else lambda error: isinstance(error, failures)


def _nothing() -> None:
    """Counts what never happens."""


def _none(_pool: Any) -> int:
    return 0


def _unmeasured(_seconds: float) -> None:
    """Where the time goes that nobody measures."""
