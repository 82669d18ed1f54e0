"""Creations: how many resources a pool has made, and which requests were the first to have one."""

from collections.abc import Callable
from threading import RLock
from typing import Any

from manometer.meters.fork import freed_in_child

__all__ = ["Creations"]


class Creations:
    """Tells the requests that got a new resource from those that got one that was there.

    Each creation makes one request the first to have that resource: the next request that ends. So their number is
    right however many requests wait while another one creates.
    made: tells how many resources the pool has made so far; None where `made_one` says so.
    """

    def __init__(self, pool: Any, made: Callable[[Any], int] | None) -> None:
        self._made = 0
        self.made: Callable[[Any], int] = made or (lambda _: self._made)
        """How many resources the pool has made so far."""
        self.claimed = self.made(pool)
        """How many of them a request has had first. Where it is what `made` says, there is nothing to claim."""
        self._lock = freed_in_child(RLock())

    def made_one(self) -> None:
        """The pool has made a resource."""
        with self._lock:
            self._made += 1

    def claim(self, made: int) -> bool:
        """Whether a request that has ended is the first to have its resource; made: what the pool says now."""
        with self._lock:
            first = self.claimed < made
            self.claimed += first
        return first
