"""How long a collection may take, and what it leaves to the collections that its collectors make themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from time import monotonic
from typing import NamedTuple

__all__ = ["PATIENCE", "Limits", "share", "within"]

PATIENCE = 5.0
"""Seconds that a collector may take."""
_SHARE = 0.5
"""Of the time that a collector has, what it may leave to a part of its work."""
_REST_FOR_COST = 40.0
"""Of a collection's processor time: however many ask, collecting takes a fortieth of a processor at most."""
_REST_FOR_TIME = 2.0
"""Of its duration, which is long beside a program that never waits: it asks for the interpreter's lock many times."""
_REST_AT_MOST = 1.0


class Limits(NamedTuple):
    """Seconds that each collector may take, and that all may take together, None where there is no end to that.

    rests: whether the program is left alone for a while after the collection before.
    """

    each: float = PATIENCE
    all: float | None = None
    rests: bool = False

    @property
    def inner(self) -> "Limits":
        """The same, within the share of the collector that is read by this thread, if any is."""
        return Limits(share(self.each), None if self.all is None else share(self.all), self.rests)

    def wider(self, other: "Limits") -> "Limits":
        """What is enough for both."""
        both = None if self.all is None or other.all is None else max(self.all, other.all)
        return Limits(max(self.each, other.each), both, self.rests and other.rests)

    def rest_after(self, took: float, cost: float) -> float:
        """Seconds of rest after a collection that took so long, and so much of it of the CPU."""
        if not self.rests:
            return 0.0
        rest = min(max(_REST_FOR_TIME * took, _REST_FOR_COST * cost), _REST_AT_MOST)
        return rest if self.all is None else min(rest, self.all * _SHARE)


def share(seconds: float) -> float:
    """So many seconds, or the share of what is left, where a collector that is read by this thread has less."""
    until = getattr(_time, "until", None)
    return seconds if until is None else min(seconds, max(until - monotonic(), 0.0) * _SHARE)


@contextmanager
def within(until: float) -> Iterator[None]:
    """In this block, a collector is read that has to answer by then."""
    before = getattr(_time, "until", None)
    _time.until = until
    try:
        yield
    finally:
        _time.until = before


_time = local()
