"""By which names an exporter may be asked for that is there for its own machine alone, and what is told there alone.

A page of somebody else in a browser on that machine may have its own name lead here (DNS rebinding), and then read
what it gets. It cannot have the browser ask for an address, or for `localhost`, and be taken for the same site.
"""

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

__all__ = ["Hosts"]

_HOSTS_FILE = Path("/etc/hosts")


class Hosts:
    """address: what is listened on, None for a Unix socket; host: what the settings call it.

    allowed: further names, `*` for any.
    """

    def __init__(self, address: str | None, host: str, allowed: str | None = None) -> None:
        machine = socket.gethostname()
        own = {"localhost", host, machine, *_names_beside(machine), *(allowed or "").replace(",", " ").split()}
        self._names = {_name(name) for name in own}
        self._all_are_own = address is None or "*" in self._names  # no browser asks a Unix socket
        self._allows_any = self._all_are_own or not _is_loopback(address or "")

    def allow(self, header: str | None) -> bool:
        """Whether a request with that Host header is answered."""
        return self._allows_any or self.is_own(header)

    def is_own(self, header: str | None) -> bool:
        """Whether no page of somebody else can have a browser ask so."""
        if self._all_are_own or not header:
            return True
        name = _name(header)
        return name in self._names or name.endswith(".localhost") or _is_address(name)


def _is_loopback(address: str) -> bool:
    found = ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback  # as a socket for both families has it


def _names_beside(machine: str) -> Iterable[str]:
    """What the hosts file calls the machine besides: Debian has `127.0.1.1 shop-1.example.com shop-1` there.

    A name server is not asked: it may take seconds, and may be somebody else's.
    """
    try:
        lines = _HOSTS_FILE.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        names = line.partition("#")[0].lower().split()[1:]
        if machine.lower() in names:
            yield from names


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
