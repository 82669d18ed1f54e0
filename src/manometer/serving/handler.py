"""A request as bytes, and the answer to it as bytes."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from typing import Any, NamedTuple

from manometer.serving.messages import Request, Response

__all__ = ["Answered", "answered"]


class Answered(NamedTuple):
    """parts: of the answer, in order; used: bytes of the request; closes: whether the connection ends with it."""

    parts: list[bytes]
    used: int
    closes: bool


def answered(received: bytes, peer: str | None, answer: Callable[[Request], Response]) -> Answered:
    """Answer the first request of these bytes; what is none is answered as http.server does."""
    handler = _Handler(received, peer, answer)
    handler.handle_one_request()
    return Answered(handler.parts, handler.rfile.tell(), handler.close_connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of a request line that makes no sense: its answer has a status too

    def __init__(self, received: bytes, peer: str | None, answer: Callable[[Request], Response]) -> None:
        # What socketserver would do besides is for a connection, of which this knows nothing.
        self._peer, self._answer_to = peer, answer
        self.parts: list[bytes] = []
        self.rfile, self.wfile = BytesIO(received), self  # type: ignore[assignment]
        self.close_connection = True

    def write(self, data: bytes) -> None:
        """Be written to, without a copy of what may be large."""
        self.parts.append(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def _answer(self) -> None:
        # A body is never read, so what follows on the connection could not be told from the next request.
        self.close_connection |= "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self._answer_to(Request(self.command, path, query, headers, self._peer))
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.write(response.body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method is answered, most of them with 405
            return self._answer
        raise AttributeError(name)

    def version_string(self) -> str:
        return "Manometer"  # and not which Python, which helps only an attacker

    def log_message(self, *_: Any) -> None:
        """Keep no access log: a scrape every few seconds is no news."""
