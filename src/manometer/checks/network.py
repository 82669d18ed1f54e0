"""Checks of other services: whether a URL answers as it should, whether a receiver of spans can be reached."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from manometer.errors import BindingError
from manometer.health import Finding
from manometer.redaction import without_secrets
from manometer.version import __version__

__all__ = ["http", "otlp"]

TIMEOUT = 5.0
"""Seconds that a service may keep silent."""
_PORTS = {"http": 80, "https": 443}


def http(url: str, *, status: int | None = None, timeout: float = TIMEOUT) -> Callable[[], Finding]:
    """Whether a URL answers, by its status alone: the body is not read, and a redirection is not followed.

    status: the one to expect; any from 200 to 299 by default. timeout: seconds that the service may keep silent.
    Raises BindingError where it is no URL of http or https, and where it has a password, which would not be sent.
    """
    _host_and_port(url)
    if "@" in urlsplit(url).netloc:
        raise BindingError(f"the check of {without_secrets(url)} would send no password; write a function that does")

    def run() -> Finding:
        found = _status(url, timeout)
        is_well = found == status if status is not None else 200 <= found < 300
        expected = "200 to 299" if status is None else status
        return Finding(None if is_well else f"{without_secrets(url)} answers {found}, not {expected}")

    return run


def otlp(endpoint: str, *, timeout: float = TIMEOUT) -> Callable[[], Finding]:
    """Whether the receiver of spans takes connections; it is sent nothing.

    endpoint: the setting `otlp_endpoint`, such as http://127.0.0.1:4318. timeout: seconds for the connection.
    Raises BindingError where it is no URL of http or https.
    """
    address = _host_and_port(endpoint)

    def run() -> Finding:
        with socket.create_connection(address, timeout):
            return Finding()

    return run


def _host_and_port(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        parts, port = urlsplit(""), 0
    if not parts.hostname or parts.scheme not in _PORTS:
        raise BindingError(
            f"{without_secrets(url)!r} is no URL to check; pass one such as http://127.0.0.1:8080/livez"
        )
    return parts.hostname, port


class _AsTold(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow none: who answers there is another service."""


def _status(url: str, timeout: float) -> int:
    """The status that the URL itself answers with."""
    request = Request(url, headers={"User-Agent": f"Manometer/{__version__}"})  # noqa: S310 - see above
    try:
        with build_opener(_AsTold).open(request, timeout=timeout) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
