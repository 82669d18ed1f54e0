"""One client's connection: the handshake of TLS where there is one, then requests and their answers."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from typing import Any

from manometer.serving.connections import Connection, Connections
from manometer.serving.pages import Request, Response
from manometer.serving.tls import Tls
from manometer.serving.turn import Turn

__all__ = ["Handler", "secured"]

PATIENCE = 10.0
"""Seconds that a client may take to send a request or to take in an answer: Prometheus's own time-out."""
_ASK_BY_HTTPS = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 32\r\n\r\n"
    b"TLS is on here, so ask by https\n"
)


def secured(connection: Connection, connections: Connections, tls: Tls, refused: Callable[[str], None]) -> bool:
    """Shake hands with the client: whether the connection is encrypted now, and the client one that is allowed.

    refused: called with the reason where it is not.
    """
    client = connections.encrypt(connection, tls.context)
    if client is None:
        return False
    client.settimeout(PATIENCE)  # of the handshake as a whole
    try:
        client.do_handshake()
    except OSError as error:
        refused("handshake")
        if isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST":
            _ask_by_https(client)
        return False
    if not tls.allows(client.getpeercert()):
        refused("certificate")
        return False
    return True


def _ask_by_https(client: socket.socket) -> None:
    """Answer a client that speaks no TLS without any."""
    client.settimeout(0)
    with suppress(OSError):
        socket.socket.recv(client, 1 << 16)  # what is left unread would have the system take the answer back
    socket.socket.send(client, _ASK_BY_HTTPS)


class Handler(BaseHTTPRequestHandler):
    """Reads the requests of a connection and writes what `answer` gives for each."""

    protocol_version = "HTTP/1.1"

    def __init__(
        self, connection: Connection, connections: Connections, answer: Callable[[Request], Response]
    ) -> None:
        self._client, self._connections, self._answer_to = connection, connections, answer
        super().__init__(connection.socket, connection.peer, None)  # type: ignore[arg-type]

    def setup(self) -> None:
        self.connection = self.request
        if self.connection.family != socket.AF_UNIX:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._turn = Turn(self.connection, PATIENCE)
        self.rfile, self.wfile = BufferedReader(self._turn), self._turn  # type: ignore[assignment]

    def finish(self) -> None:
        """The connection is closed by whoever opened it."""

    def handle_one_request(self) -> None:
        self._turn.begin()
        super().handle_one_request()

    def _answer(self) -> None:
        # A body is never read, so what follows on the connection could not be told from the next request.
        self.close_connection |= "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        if not self._connections.begin(self._client):
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self._answer_to(Request(self.command, path, query, headers, self._client.peer))
        self.close_connection |= not self._connections.end(self._client)
        self._turn.begin()
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method is answered, most of them with 405
            return self._answer
        raise AttributeError(name)

    def version_string(self) -> str:
        return "Manometer"  # and not which Python, which helps only an attacker

    def log_message(self, *_: Any) -> None:
        """Keep no access log: a scrape every few seconds is no news."""
