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
        self._told = made
        self._claimed = 0 if made is None else made(pool)
        self._lock = freed_in_child(RLock())

    def made_one(self) -> None:
        """The pool has made a resource."""
        with self._lock:
            self._made += 1

    def is_first_use(self, pool: Any) -> bool:
        """Whether the request that has ended is the first to have the resource. Raises what `made` raises."""
        made = self._made if self._told is None else self._told(pool)
        if made == self._claimed:
            return False
        with self._lock:
            first = self._claimed < made
            self._claimed += first
        return first
