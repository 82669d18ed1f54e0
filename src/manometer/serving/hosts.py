"""By which names an exporter may be asked for that is there for its own machine alone.

A page of somebody else in a browser on that machine may have its own name lead here (DNS rebinding), and then read
what it gets. It cannot have the browser ask for an address, or for `localhost`, and be taken for the same site.
"""

import socket
from ipaddress import ip_address

__all__ = ["Hosts"]


class Hosts:
    """address: what is listened on, None for a Unix socket; host: what the settings call it.

    allowed: further names, `*` for any.
    """

    def __init__(self, address: str | None, host: str, allowed: str | None = None) -> None:
        own = {"localhost", host, socket.gethostname(), *(allowed or "").replace(",", " ").split()}
        self._names = {_name(name) for name in own}
        is_loopback = address is not None and ip_address(address).is_loopback  # no browser asks a Unix socket
        self._allows_any = not is_loopback or "*" in self._names

    def allow(self, header: str | None) -> bool:
        """Whether a request with that Host header is answered."""
        if self._allows_any or not header:
            return True
        name = _name(header)
        return name in self._names or name.endswith(".localhost") or _is_address(name)


def _name(header: str) -> str:
    """The header without a port, and an IPv6 address without its brackets."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
