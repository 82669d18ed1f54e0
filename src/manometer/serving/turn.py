"""A client's turn: so many seconds to send a whole request, or to take in a whole answer."""

import socket
from io import RawIOBase
from time import monotonic
from typing import Any

__all__ = ["Turn"]


class Turn(RawIOBase):
    """Reads from a socket and writes to it until the turn ends; then both raise TimeoutError.

    A socket's own time-out begins anew with each byte that is read, and with each record that TLS writes.
    """

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._socket, self._seconds = connection, seconds
        self._ends = 0.0
        self.begin()

    def begin(self) -> None:
        """The next turn begins now."""
        self._ends = monotonic() + self._seconds

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is, and wait for something before."""
        self._socket.settimeout(self._left())
        return self._socket.recv_into(buffer)

    def write(self, data: Any) -> int:
        """Write all of it."""
        with memoryview(data) as view:
            sent = 0
            while sent < len(view):
                self._socket.settimeout(self._left())
                sent += self._socket.send(view[sent:])
            return sent

    def _left(self) -> float:
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError("the client's turn has ended")
        return left
