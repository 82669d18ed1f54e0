"""The thread that takes new connections, which waits for no client."""

import errno
import logging
import selectors
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from manometer.background import in_background
from manometer.serving.listeners import Listener

__all__ = ["Acceptor"]

PAUSE = 0.1
"""Seconds without a new connection, where there is no room for one."""
_LACKING = {
    errno.EMFILE: "descriptor",
    errno.ENFILE: "descriptor",
    errno.ENOBUFS: "memory",
    errno.ENOMEM: "memory",
}


_log = logging.getLogger("manometer")

# A forked child has nothing of it, where Linux's own would be one of the child and the parent.
_Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)


class Acceptor:
    """Hands each new connection of the listeners over.

    took: called with the listener, the connection and the peer's address; it must not wait.
    lacked: told which resource was missing for a connection, and by which error.
    """

    def __init__(
        self,
        listeners: list[Listener],
        took: Callable[[Listener, socket.socket, str | None], None],
        lacked: Callable[[str, OSError], None],
    ) -> None:
        self._listeners, self._took, self._lacked = listeners, took, lacked
        self._ends = Event()
        self._wakes, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._thread: Thread | None = None

    def start(self) -> None:
        """Take connections. Raises RuntimeError where no thread can be started."""
        self._thread = in_background(self._run, "manometer-http", self.stop)

    def stop(self) -> None:
        """Have the thread end soon."""
        self._ends.set()
        with suppress(OSError):  # it has ended, and all is closed
            self._wake.send(b"x")

    def close(self) -> None:
        """Take no more, and wait for the thread to end."""
        if self._thread is not None:
            self.stop()
            self._thread.join()
        self.abandon()

    def abandon(self) -> None:
        """Close this process's copies of what wakes the thread."""
        self._wakes.close()
        self._wake.close()

    def _run(self) -> None:
        with _Selector() as selector:
            selector.register(self._wakes, selectors.EVENT_READ)
            for each in self._listeners:
                selector.register(each.socket, selectors.EVENT_READ, each)
            while not self._ends.is_set():
                for key, _ in selector.select():
                    if key.data is not None and not self._ends.is_set():
                        self._take(key.data)

    def _take(self, listener: Listener) -> None:
        try:
            client, peer = listener.accept()
        except OSError as error:
            lacking = _LACKING.get(error.errno)  # type: ignore[arg-type]
            if lacking is not None:
                self._lacked(lacking, error)
                self._ends.wait(PAUSE)  # the connection still waits, so the next try would come at once
            return
        try:
            self._took(listener, client, peer)
        except Exception:  # such as for want of memory: the next connection may be taken again
            _log.exception("a connection from %s could not be taken", peer)
            client.close()
            self._ends.wait(PAUSE)
