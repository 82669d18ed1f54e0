"""Stays: how long each object is out of a pool, or in a queue."""

from collections.abc import Callable

from manometer.instrumentation.overlaps import Overlaps

__all__ = ["Stays"]

_AT_MOST = 100_000  # objects whose stay is remembered


class Stays:
    """Since when each object stays, by its id. No lock is taken, because a finalizer may end a stay."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}
        self._overlaps = Overlaps()

    def began(self, key: int, each: object, now: float) -> None:
        """The stay of an object began; None in the place of an object that ends its stay for certain."""
        since = self._since
        if len(since) < _AT_MOST and since.setdefault(key, now) is not now:
            self._overlaps.began(key, each, now)

    def ended(self, key: int) -> float | None:
        """How long the stay was that ends now, in seconds; None where nobody knows when it began."""
        since = self._overlaps.ended(key) if self._overlaps.uses else None
        if since is None:
            since = self._since.pop(key, None)
        return None if since is None else self._clock() - since
