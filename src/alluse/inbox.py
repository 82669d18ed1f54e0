"""The inbox: takes in what Alertmanager delivers by webhook, tells it line by line, and keeps the latest."""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, NamedTuple, Self

from alluse.errors import SettingsError

__all__ = ["KEPT", "PORT", "Delivery", "Inbox", "read"]

PORT = 9466
KEPT = 1_000
"""Deliveries that are kept; the oldest goes for each one past that."""

_BODY_BYTES = 4_000_000  # Alertmanager sends some kilobytes for each alert of a group
_PATIENCE = 10.0  # seconds for a request to come in
_VERSION = "4"


class Delivery(NamedTuple):
    """One alert as it was delivered. status: `firing` or `resolved`; times as Alertmanager wrote them."""

    receiver: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    started: str
    ended: str

    def line(self) -> str:
        """The alert for people, on one line."""
        about = " ".join(
            f"{name}={value}" for name, value in sorted(self.labels.items()) if name not in ("alertname", "severity")
        )
        name, severity = self.labels.get("alertname", "?"), self.labels.get("severity", "none")
        text = f"{self.receiver}: {self.status} {name} ({severity}) {self.annotations.get('summary', '')} [{about}]"
        return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))

    def json(self) -> str:
        """The alert for programs, on one line."""
        return json.dumps(self._asdict(), ensure_ascii=False)


def read(body: bytes) -> list[Delivery]:
    """The alerts of a webhook's body, version 4; ValueError says what is wrong with any other."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is no JSON") from None
    if not isinstance(payload, dict) or not isinstance(payload.get("alerts"), list):
        raise ValueError("the body has no list of alerts; send Alertmanager's webhook payload")
    if payload.get("version") != _VERSION:
        raise ValueError(f"the payload has version {payload.get('version')!r}; version '{_VERSION}' is understood")
    receiver = payload.get("receiver")
    if not isinstance(receiver, str):
        raise ValueError("the payload names no receiver")
    return [_delivery(receiver, place, alert) for place, alert in enumerate(payload["alerts"], 1)]


class Inbox:
    """Listens until it is closed: POST / takes alerts in, GET /alerts shows them, GET /livez says that it listens.

    heard: called with each alert, one at a time, in the order of arrival; refused: with what was wrong and
    where it came from. port: 0 picks a free one. Raises SettingsError where the address cannot be had.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = PORT,
        *,
        heard: Callable[[Delivery], None],
        refused: Callable[[str], None],
    ) -> None:
        self._heard, self._refused = heard, refused
        self._kept: deque[Delivery] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        try:
            self._server = _Server((host, port), self)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SettingsError(
                f"the inbox cannot listen on {host}:{port}: {reason}; choose another --port"
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="alluse-inbox", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    @property
    def deliveries(self) -> list[Delivery]:
        """What was delivered, oldest first."""
        with self._lock:
            return list(self._kept)

    def take(self, deliveries: list[Delivery]) -> None:
        """Keep the alerts of one request, and tell them."""
        with self._lock:
            for each in deliveries:
                self._kept.append(each)
                self._heard(each)

    def refuse(self, reason: str) -> None:
        """Tell that a request was no delivery."""
        with self._lock:
            self._refused(reason)

    def close(self) -> None:
        """Stop listening; twice is no harm."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _delivery(receiver: str, place: int, alert: object) -> Delivery:
    if not isinstance(alert, dict) or alert.get("status") not in ("firing", "resolved"):
        raise ValueError(f"alert {place} is neither firing nor resolved")
    started, ended = alert.get("startsAt", ""), alert.get("endsAt", "")
    if not isinstance(started, str) or not isinstance(ended, str):
        raise ValueError(f"alert {place} has a time that is no text")
    labels, annotations = (_texts(alert.get(key), f"{key} of alert {place}") for key in ("labels", "annotations"))
    return Delivery(receiver, alert["status"], labels, annotations, started, ended)


def _texts(given: object, what: str) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError(f"the {what} are no names and texts")
    return given


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], inbox: Inbox) -> None:
        self.inbox = inbox
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's looks the host's name up, which may take seconds

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no fault."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/alerts":
            rows = [delivery._asdict() for delivery in self.server.inbox.deliveries]
            self._answer(HTTPStatus.OK, json.dumps(rows, ensure_ascii=False) + "\n", "application/json")
        elif self.path == "/livez":
            self._answer(HTTPStatus.OK, "ok\n")
        else:
            self._answer(HTTPStatus.NOT_FOUND, "nothing here; there are GET /alerts, GET /livez and POST /\n")

    def do_POST(self) -> None:
        if self.path != "/":
            self._answer(HTTPStatus.NOT_FOUND, "nothing here; post Alertmanager's webhook payload to /\n")
            return
        try:
            deliveries = read(self._body())
        except ValueError as error:
            self.server.inbox.refuse(f"refused a request from {self.client_address[0]}: {error}")
            self._answer(HTTPStatus.BAD_REQUEST, f"{error}\n")
            return
        self.server.inbox.take(deliveries)
        self._answer(HTTPStatus.OK, "")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise ValueError("the request says not how long it is; send a Content-Length")
        if len(length) > 9 or int(length) > _BODY_BYTES:
            raise ValueError(f"the body is longer than {_BODY_BYTES:,} bytes")
        body = b""
        with suppress(OSError):
            body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ValueError("the body broke off")
        return body

    def _answer(self, status: HTTPStatus, text: str, kind: str = "text/plain") -> None:
        body = text.encode(errors="backslashreplace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "alluse"

    def log_message(self, *_: Any) -> None:
        """Keep no access log: what was delivered is told."""
