"""How many connections of a kind are gone on with at once, and which of them wait."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manometer.serving.connection import Connection

__all__ = ["Lane"]


class Lane:
    """So many threads for a kind of work, so that one kind cannot keep another waiting. Only one thread uses a lane.

    free: threads that may be started; lacks: what there is too little of where too many wait; waiting: connections
    that wait for a thread, in the order in which they came, each with the moment until which it does.
    """

    def __init__(self, threads: int, lacks: str) -> None:
        self.free, self.lacks = threads, lacks
        self.waiting: dict[Connection, float] = {}

    def next(self) -> "Connection | None":
        """The connection that has a thread now, if one waits and one is free."""
        if not self.free or not self.waiting:
            return None
        following = next(iter(self.waiting))
        del self.waiting[following]
        return following
