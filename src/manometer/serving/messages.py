"""A request and a response of the exporter, whichever front end they go through."""

from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import NamedTuple

__all__ = ["Request", "Response", "text"]

_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
_TEXT = "text/plain; charset=utf-8"


class Request(NamedTuple):
    """As much of an HTTP request as an answer depends on; header names are in lower case.

    peer: the address of whoever asks, None where it is the program itself.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    peer: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it comes from this machine, and not by way of a proxy, which would say so."""
        if any(name in self.headers for name in _OF_PROXIES):
            return False
        if self.peer is None:
            return True
        try:
            peer = ip_address(self.peer)
        except ValueError:
            return False
        return (getattr(peer, "ipv4_mapped", None) or peer).is_loopback


class Response(NamedTuple):
    """An HTTP response; `Content-Length` is the front end's to add."""

    status: HTTPStatus
    headers: tuple[tuple[str, str], ...]
    body: bytes


def text(status: HTTPStatus, body: str, *headers: tuple[str, str]) -> Response:
    """A response in plain text; a lone surrogate, which UTF-8 has no bytes for, is written as an escape."""
    return Response(status, (("Content-Type", _TEXT), *headers), body.encode(errors="backslashreplace"))
