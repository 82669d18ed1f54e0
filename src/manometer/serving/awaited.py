"""The connections whose client has its turn, to send a request or take in an answer, and which of them makes room."""

from collections.abc import Iterator
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Awaited"]

HELD = 64 << 20
"""Bytes of answers that clients may be taking in at once. What several share counts once, and one may be larger."""
_TAKING_IN = 1.0
"""Seconds for which a client that takes in an answer counts for more than one that has nothing to take in."""

C = TypeVar("C")


class _Turn(NamedTuple):
    """since: when it began, seconds; answer: what the client is to take in, empty where a request is awaited."""

    since: float
    answer: bytes


class Awaited(Generic[C]):
    """Whoever calls it holds the lock of the connections."""

    def __init__(self) -> None:
        self._turns: dict[C, _Turn] = {}  # in the order in which they began

    def __contains__(self, connection: object) -> bool:
        return connection in self._turns

    def __iter__(self) -> Iterator[C]:
        return iter([*self._turns])

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, connection: C, answer: bytes = b"") -> None:
        """It is the client's turn."""
        self._turns[connection] = _Turn(monotonic(), answer)

    def took(self, connection: C) -> None:
        """The client has taken its answer in, and may send another request; nothing where it had to make room."""
        if self._turns.pop(connection, None) is not None:
            self.add(connection)

    def remove(self, connection: C) -> None:
        """It is not the client's turn any more."""
        self._turns.pop(connection, None)

    def pop_slowest(self) -> C:
        """Which makes room for another: the one silent longest. One that takes in an answer has a second more."""
        slowest = min(self._turns, key=self._silent_since)
        del self._turns[slowest]
        return slowest

    def pop_beyond(self, answer: bytes) -> list[C]:
        """Those that make room for this answer, oldest first, where all answers together are too much."""
        popped = []
        for connection, turn in list(self._turns.items()):
            if sum({id(each.answer): len(each.answer) for each in self._turns.values()}.values()) <= HELD:
                break
            if turn.answer and turn.answer is not answer:
                del self._turns[connection]
                popped.append(connection)
        return popped

    def _silent_since(self, connection: C) -> float:
        since, answer = self._turns[connection]
        return since + _TAKING_IN if answer else since
