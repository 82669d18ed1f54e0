"""A client's connection: what has come of its next request, and what it has not taken in of an answer."""

import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic

from manometer.serving import at_once
from manometer.serving.listeners import Listener
from manometer.serving.tls import Tls

__all__ = ["Connection"]

PATIENCE = 10.0
"""Seconds for a handshake and a whole request, and for a whole answer to be taken in: Prometheus's own time-out."""
IDLE = 120.0
"""Seconds until the next request begins; Prometheus comes every minute, by the connection that it has."""
_TAKING_IN = 1.0
_HEAD_AT_MOST = 1 << 17
"""Bytes of a request without its end; http.server refuses what is half as long in a line."""
_AT_ONCE = 1 << 14
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_ASK_BY_HTTPS = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 32\r\n\r\n"
    b"TLS is on here, so ask by https\n"
)


class Connection:
    """Never waits for the client, whose socket must not block; one thread at a time has it.

    listener: where the client came; peer: its address, None by a Unix socket; shakes: whether the handshake of TLS
    is not over; wants: which event of the socket goes on with it; until: when the client's turn ends; closes: whether
    it ends with the answer; is_over: whether nothing more comes of it.
    """

    def __init__(self, client: socket.socket, peer: str | None, listener: Listener, shakes: bool) -> None:
        if client.family != getattr(socket, "AF_UNIX", None):
            with suppress(OSError):  # macOS refuses it where the client is gone already
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.socket, self.peer, self.listener, self.shakes = client, peer, listener, shakes
        self.received = bytearray()
        self.wants, self.closes, self.is_over = EVENT_READ, False, False
        self._is_idle = False
        self._begin_turn(PATIENCE)
        self._tls: Tls | None = None
        self._unsent: deque[bytes] = deque()
        self._sent = 0  # bytes of the first part

    @property
    def has_whole_request(self) -> bool:
        """Whether the head of a request is there."""
        return b"\n\r\n" in self.received or b"\n\n" in self.received

    @property
    def has_request(self) -> bool:
        """The same, or so much that it cannot be one."""
        return self.has_whole_request or len(self.received) > _HEAD_AT_MOST

    @property
    def path(self) -> str:
        """The path that the request asks for, as http.server reads it."""
        line = bytes(self.received[: self.received.find(b"\n")]).decode("iso-8859-1")
        target = [*line.split(), "", ""][1].partition("?")[0]
        return "/" + target.lstrip("/") if target.startswith("//") else target

    @property
    def unsent(self) -> list[bytes]:
        """What the answer keeps in memory, maybe shared with those of others."""
        return [*self._unsent]

    @property
    def silent_since(self) -> float:
        """Since when it holds its place without need; who takes in an answer has a second for that."""
        return self._since + _TAKING_IN if self.is_sending else self._since

    @property
    def is_sending(self) -> bool:
        """Whether the client has an answer to take in."""
        return bool(self._unsent)

    def shake(self, tls_in_force: Callable[[], Tls | None]) -> str | None:
        """Go on with the handshake; the reason where the client is refused."""
        if self._tls is None:
            self._tls = tls_in_force()
        if self._tls is None:
            return "handshake"
        try:
            if not isinstance(self.socket, ssl.SSLSocket):
                self.socket.getpeername()  # fails where the client is gone; ssl would too, with a socket unclosed
                self.socket.setblocking(False)  # for Python to know it too
                context = self._tls.context
                self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self.wants = EVENT_READ
            return None
        except ssl.SSLWantWriteError:
            self.wants = EVENT_WRITE
            return None
        except OSError as error:
            if isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST":
                self._ask_by_https()
            return "handshake"
        self.wants, self.shakes = EVENT_READ, False
        return None if self._tls.allows(self.socket.getpeercert()) else "certificate"

    def receive(self) -> None:
        """Take in what has come of the next request."""
        while not self.has_request:
            try:
                part = self._received()
            except _LATER:
                return
            except OSError:
                part = b""
            if not part:
                self.is_over = True
                return
            if self._is_idle:
                self._is_idle = False
                self._begin_turn(PATIENCE)
            self.received += part

    def _received(self) -> bytes:
        is_tls = isinstance(self.socket, ssl.SSLSocket)
        return self.socket.recv(_AT_ONCE) if is_tls else at_once.receive(self.socket, _AT_ONCE)

    def wait(self) -> None:
        """The request waits for a thread from now on; the client waits with it as long as it does for an answer."""
        self._begin_turn(PATIENCE)

    def answer(self, parts: Iterable[bytes], closes: bool) -> None:
        """Begin to send an answer; `closes` where the connection ends with it."""
        self._unsent.extend(part for part in parts if part)
        self.closes = closes
        self._begin_turn(PATIENCE)
        self.send()

    def send(self) -> None:
        """Send what the client takes in now."""
        try:
            while self._unsent:
                self._sent += self._send(self._unsent[0])
                if self._sent == len(self._unsent[0]):
                    self._sent = 0
                    self._unsent.popleft()
        except _LATER:
            self.wants = EVENT_WRITE
        except OSError:
            self.is_over = True
        else:
            self.wants, self.is_over = EVENT_READ, self.closes
            self._is_idle = not self.received
            self._begin_turn(IDLE if self._is_idle else PATIENCE)

    def _send(self, part: bytes) -> int:
        if isinstance(self.socket, ssl.SSLSocket):
            return self.socket.send(memoryview(part)[self._sent :])
        return at_once.send(self.socket, part, self._sent)

    def _begin_turn(self, seconds: float) -> None:
        self._since = monotonic()
        self.until = self._since + seconds

    def close(self) -> None:
        """Tell the client, and close: without a wait for its word."""
        self._unsent.clear()
        with suppress(OSError, ValueError):
            if isinstance(self.socket, ssl.SSLSocket):
                self.socket.unwrap()
        if self.closes:  # also where a forked child has a copy of the socket yet
            with suppress(OSError):  # the client may have been faster
                socket.socket.shutdown(self.socket, socket.SHUT_WR)
        if isinstance(self.socket, ssl.SSLSocket):
            self.socket.close()
        else:
            at_once.close(self.socket)

    def _ask_by_https(self) -> None:
        """Answer a client that speaks no TLS without any."""
        with suppress(OSError):
            socket.socket.recv(
                self.socket, _AT_ONCE
            )  # what is left unread would have the system take the answer back
            socket.socket.send(self.socket, _ASK_BY_HTTPS)
