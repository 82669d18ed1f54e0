"""Creations: how many resources a pool has made, which requests were the first to have one, and what makes them."""

from collections.abc import Callable
from threading import RLock
from typing import Any

from manometer.meters.fork import freed_in_child

__all__ = ["Creations", "give_back", "timed_attribute"]

_TIMES = "_manometer_times"  # what a timed creator calls


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


def timed_attribute(name: str, times: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Any:
    """The attribute in which a pool keeps what makes a resource, with each call timed; its value stays the pool's.

    times: gives the function that times another one.
    """

    def timed(pool: Any) -> Callable[..., Any]:
        create = pool.__dict__[name]
        made = times(create)
        vars(made)[_TIMES] = create
        return made

    return property(
        timed,
        lambda pool, create: pool.__dict__.__setitem__(name, create),
        lambda pool: pool.__dict__.__delitem__(name),
    )


def give_back(pool: Any, name: str) -> None:
    """Give a pool the creator itself, where another pool handed it the one that is timed."""
    kept = getattr(pool, "__dict__", {})
    if name in kept:
        kept[name] = getattr(kept[name], _TIMES, kept[name])
