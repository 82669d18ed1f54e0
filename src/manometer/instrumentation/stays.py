"""Stays: how long each object is out of a pool, or in a queue."""

from collections.abc import Callable

from manometer.instrumentation.overlaps import Overlaps

__all__ = ["AT_MOST", "Stays"]

AT_MOST = 100_000
"""Objects whose stay is remembered."""


class Stays:
    """Since when each object stays, by its id. No lock is taken, because a finalizer may end a stay.

    Code that runs very often does by itself what `began` and `ended` do, to save the calls.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.since: dict[int, float] = {}
        self.overlaps = Overlaps()

    def began(self, key: int, each: object, now: float) -> None:
        """The stay of an object began; None in the place of an object that ends its stay for certain."""
        since = self.since
        if len(since) >= AT_MOST:
            since.pop(key, None)  # what is known may be of an object that was lost, and whose id this one has
        elif since.setdefault(key, now) is not now:
            self.overlaps.began(key, each, now)

    def ended(self, key: int) -> float | None:
        """How long the stay was that ends now, in seconds; None where nobody knows when it began."""
        since = self.overlaps.ended(key) if self.overlaps.uses else None
        if since is None:
            since = self.since.pop(key, None)
        return None if since is None else self._clock() - since
