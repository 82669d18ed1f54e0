"""How many connections of a kind are gone on with at once, and which of them wait."""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manometer.serving.connection import Connection

__all__ = ["Lane"]


class Lane:
    """So many threads for a kind of work, so that one kind cannot keep another waiting. One thread has it.

    free: threads that may be started; waiting: connections that wait for one, in the order in which they came; lacks:
    what there is too little of where too many wait.
    """

    def __init__(self, threads: int, lacks: str) -> None:
        self.free, self.lacks = threads, lacks
        self.waiting: deque[Connection] = deque()
