"""The connections whose clients have to do something next, and how it is noticed that one has."""

import selectors
from collections.abc import Iterable, Iterator
from math import inf
from time import monotonic

from manometer.serving.connection import Connection

__all__ = ["Held", "Selector", "ended"]

_NOW_AND_THEN = 0.05
"""Seconds between two looks at who has sent a part of a request, and in a crowd at all: what comes byte by byte then
costs one look together. The request of who has just come is looked for at once."""
# A forked child has nothing of it, where Linux's own would be one of the child and the parent.
Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)


class Held:
    """In the order in which their turns began.

    at_once: hears those who are heard at once; crowd: how many are a crowd, which is heard now and then.
    """

    def __init__(self, at_once: selectors.BaseSelector, crowd: int) -> None:
        self._at_once, self._crowd = at_once, crowd
        self._now_and_then: selectors.BaseSelector = Selector()
        self._looks_at = inf
        self._ends: dict[Connection, float] = {}
        self._next_end = inf
        self._heard_by: dict[Connection, selectors.BaseSelector] = {}

    def __contains__(self, connection: object) -> bool:
        return connection in self._ends

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._ends)

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def sending(self) -> list[Connection]:
        """Those with an answer that the client has not taken in."""
        return [each for each in self._ends if each.is_sending]

    @property
    def due(self) -> float:
        """When there is something to do that no client asks for."""
        return min(self._next_end, self._looks_at)

    def keep(self, connection: Connection) -> None:
        """Hear it, until its turn ends."""
        self._hear(connection)
        if self._ends.get(connection) != connection.until:
            self._ends.pop(connection, None)
            self._ends[connection] = connection.until
            self._next_end = min(self._next_end, connection.until)

    def let_go(self, connection: Connection) -> None:
        """Hear it no more, if it is one of them."""
        self._ends.pop(connection, None)
        if (by := self._heard_by.pop(connection, None)) is not None:
            by.unregister(connection.socket)

    def heard_now_and_then(self) -> list[Connection]:
        """Those who have done something since the last look, if it is time for one."""
        if monotonic() < self._looks_at:
            return []
        heard = [key.data for key, _ in self._now_and_then.select(0)]
        self._looks_at = monotonic() + _NOW_AND_THEN if self._now_and_then.get_map() else inf
        return heard

    def end_turns(self, now: float) -> list[Connection]:
        """Those whose turns are over; they are still held."""
        if now < self._next_end:
            return []
        over = ended(self._ends.items(), now)
        self._next_end = min((until for until in self._ends.values() if until > now), default=inf)
        return over

    def close(self) -> None:
        """Hear nobody any more."""
        self._now_and_then.close()

    def _hear(self, connection: Connection) -> None:
        now_and_then = not connection.is_sending and (len(self) >= self._crowd or bool(connection.received))
        by, before = self._now_and_then if now_and_then else self._at_once, self._heard_by.get(connection)
        if before is by:
            if by.get_key(connection.socket).events != connection.wants:
                by.modify(connection.socket, connection.wants, connection)
            return
        if before is not None:
            before.unregister(connection.socket)
        by.register(connection.socket, connection.wants, connection)
        self._heard_by[connection] = by
        if now_and_then and self._looks_at == inf:
            self._looks_at = monotonic() + _NOW_AND_THEN


def ended(turns: Iterable[tuple[Connection, float]], now: float) -> list[Connection]:
    """The connections whose turns are over by now."""
    return [each for each, until in turns if until <= now]
