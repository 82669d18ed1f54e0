"""How many connections of a kind are gone on with at once, and which of them wait."""

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manometer.serving.connection import Connection

__all__ = ["Lane"]


class Lane:
    """So many threads for a kind of work, so that one kind cannot keep another waiting. Only one thread uses a lane.

    free: threads that may be started; lacks: what there is too little of where too many wait; spare: whether it has
    one for every address, however that takes in its answers; waiting: connections that wait for a thread, in order
    of their coming, each with the moment until which it does.
    """

    def __init__(self, threads: int, lacks: str, *, spare: bool = False) -> None:
        self.free, self.lacks, self.spare = threads, lacks, spare
        self.waiting: dict[Connection, float] = {}

    def next(self, burdens: "Mapping[str | None, float]") -> "Connection | None":
        """The connection that has a thread now, where one is free: of the address of least burden, if that ends."""
        following = min(self.waiting, key=lambda each: burdens.get(each.peer, 0), default=None)
        if following is None or (not self.spare and burdens.get(following.peer, 0) == inf):
            return None
        del self.waiting[following]
        return following
