"""The open connections of the exporter's server: those whose client has its turn, and those being answered."""

import os
import socket
import ssl
from contextlib import suppress
from threading import Lock

__all__ = ["Connection", "Connections"]


class Connection:
    """A client's connection.

    socket: what to read from and write to, which TLS replaces; peer: the client's address, None by a Unix socket.
    """

    def __init__(self, client: socket.socket, peer: str | None) -> None:
        self.socket, self.peer = client, peer

    def hang_up(self, how: int) -> None:
        """Have the thread that reads from the connection see its end."""
        with suppress(OSError):  # the client may have been faster
            # A TLS socket's own method would forget its state amid what that thread does.
            socket.socket.shutdown(self.socket, how)

    def close(self) -> None:
        """Tell the client, and close: without a wait for its word."""
        with suppress(OSError, ValueError):
            if isinstance(self.socket, ssl.SSLSocket):
                self.socket.settimeout(0)
                self.socket.unwrap()
        self.hang_up(socket.SHUT_WR)
        self.socket.close()


class Connections:
    """At most `limit` connections. Where there are as many, the one silent longest makes room for the next."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._waiting: dict[Connection, None] = {}  # in the order in which they fell silent
        self._busy: set[Connection] = set()
        self._closed = False

    def admit(self, connection: Connection) -> bool:
        """Take a new connection, where need be in the place of a silent one; False when all are busy."""
        with self._lock:
            if len(self._waiting) + len(self._busy) >= self._limit:
                if not self._waiting:
                    return False
                silent = next(iter(self._waiting))
                del self._waiting[silent]
                silent.hang_up(socket.SHUT_RDWR)
            self._waiting[connection] = None
            return True

    def encrypt(self, connection: Connection, context: ssl.SSLContext) -> ssl.SSLSocket | None:
        """Put TLS on the connection, with the handshake to come; None where it had to make room meanwhile."""
        with self._lock:
            if connection not in self._waiting:
                return None
            plain = connection.socket
            connection.socket = tls = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            return tls

    def begin(self, connection: Connection) -> bool:
        """The connection's request is in; False where it had to make room, or the server has closed, meanwhile."""
        with self._lock:
            if self._closed or connection not in self._waiting:
                return False
            del self._waiting[connection]
            self._busy.add(connection)
            return True

    def end(self, connection: Connection) -> bool:
        """The answer is made, and it is the client's turn again; False where the server has closed."""
        with self._lock:
            self._busy.discard(connection)
            if not self._closed:
                self._waiting[connection] = None
            return not self._closed

    def drop(self, connection: Connection) -> None:
        """The connection is gone."""
        with self._lock:
            self._waiting.pop(connection, None)
            self._busy.discard(connection)

    def close(self) -> None:
        """Read no further request; answers under way still go out."""
        with self._lock:
            self._closed = True
            for connection in self._waiting:
                connection.hang_up(socket.SHUT_RD)

    def abandon(self) -> None:
        """Close this process's copies of the sockets, which leaves the connections themselves alone."""
        for connection in [*self._waiting, *self._busy]:
            with suppress(OSError):  # the parent was just closing it
                os.close(connection.socket.detach())  # `close` would wait for the files that the handlers hold
