"""Where clients come in: the listening sockets, which may be shut for a while. The system has a queue before them."""

import errno
import selectors
import socket
from collections.abc import Callable
from math import inf
from time import monotonic

from manometer.serving.listeners import Listener

__all__ = ["Doors"]

PAUSE = 0.1
"""Seconds without a new connection, where there is no room for one."""
BREATH = 0.05
"""Seconds without a new connection after so many at once, or after one that another had to make room for."""
_AT_ONCE = 16
_LACKING = {
    errno.EMFILE: "descriptor",
    errno.ENFILE: "descriptor",
    errno.ENOBUFS: "memory",
    errno.ENOMEM: "memory",
}


class Doors:
    """Shut at first.

    selector: waits for those who come; came: called with each connection, the address that it comes from and where it
    came; lacked: told which resource was missing for a connection, and by which error.
    """

    def __init__(
        self,
        listeners: list[Listener],
        selector: selectors.BaseSelector,
        came: Callable[[socket.socket, str | None, Listener], None],
        lacked: Callable[[str, OSError], None],
    ) -> None:
        self._listeners, self._selector, self._came, self._lacked = listeners, selector, came, lacked
        self.are_open = False
        self._shut_until = 0.0

    @property
    def shut_until(self) -> float:
        """When there is something to do with them."""
        return inf if self.are_open else self._shut_until

    def open(self) -> None:
        """Open them, if it is time."""
        if not self.are_open and monotonic() >= self._shut_until:
            for each in self._listeners:
                self._selector.register(each.socket, selectors.EVENT_READ, each)
            self.are_open = True

    def shut(self, seconds: float) -> None:
        """Take no connection for so long."""
        self._shut_until = monotonic() + seconds
        for each in self._listeners if self.are_open else ():
            self._selector.unregister(each.socket)
        self.are_open = False

    def take(self, listener: Listener) -> None:
        """Somebody is at that door."""
        for _ in range(_AT_ONCE):
            try:
                client, peer = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                lacking = _LACKING.get(error.errno)  # type: ignore[arg-type]
                if lacking is not None:
                    self._lacked(lacking, error)
                    self.shut(PAUSE)  # the connection still waits, so the next try would come at once
                return
            self._came(client, peer, listener)
        self.shut(BREATH)
