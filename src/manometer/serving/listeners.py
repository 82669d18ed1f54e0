"""The sockets that the exporter's server listens on, one an address."""

import errno
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from ipaddress import ip_address
from typing import Protocol

from manometer.errors import ConfigError
from manometer.serving.addresses import Address, AddressError, Tcp, Unix
from manometer.serving.at_once import accept
from manometer.serving.hosts import Hosts
from manometer.serving.unix_socket import UnixSocket

__all__ = ["Listener", "Listeners", "Sharing"]

_BACKLOG = 1024
"""Connections that the system keeps for us; more would be turned away, and try again after a second and more."""
_TRIES = 5
_BRIEFLY = 0.02
"""Seconds between two tries to bind a port that is shared."""


class Sharing(Protocol):
    """What knows the other processes that may listen on a port too."""

    def binding(self) -> AbstractContextManager[bool]:
        """Bind the port within this block: whether none of them listens, nor will meanwhile."""

    def end(self) -> None:
        """This process does not listen any more."""


class Listener:
    """A socket that listens.

    hosts: by which names it may be asked; name: as in a URL; is_public: whether other machines may reach it.
    """

    def __init__(self, listening: socket.socket, address: Address, allowed_hosts: str | None) -> None:
        listening.setblocking(False)
        self.socket = listening
        if isinstance(address, Unix):
            self._names = partial(Hosts, None, "")
            self.name, self.is_public = f"unix:{address.path}", False
        else:
            host, port = listening.getsockname()[:2]
            self._names = partial(Hosts, host, address.host)
            self.name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            found = ip_address(host)
            self.is_public = not (getattr(found, "ipv4_mapped", None) or found).is_loopback
        self.allow(allowed_hosts)

    def allow(self, allowed_hosts: str | None) -> None:
        """Answer to these names too, and not to those that it answered to besides its own."""
        self.hosts = self._names(allowed_hosts)

    def accept(self) -> tuple[socket.socket, str | None]:
        """A connection that waits, and the address that it comes from: None by a Unix socket."""
        return accept(self.socket)


class Listeners:
    """What listens on some addresses.

    allowed_hosts: see Hosts; sharing: gives what knows who may listen on a port too; setting: the one that named the
    addresses, where it was not `host` and `port`.
    Raises ConfigError where an address cannot be had, an AddressError where another would do.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        allowed_hosts: str | None = None,
        sharing: Callable[[int], Sharing | None] | None = None,
        setting: str | None = None,
    ) -> None:
        self._allowed_hosts = allowed_hosts
        self._unix_sockets: list[UnixSocket] = []
        self._shared: dict[int, Sharing] = {}
        for port in {each.port for each in addresses if isinstance(each, Tcp)}:
            if sharing is not None and (shared := sharing(port)) is not None:
                self._shared[port] = shared
        self.all: list[Listener] = []
        try:
            self._bind(addresses, _TRIES)
        except _RefusedError as refused:
            self.close()
            raise _told(refused.address, refused.error, setting) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Free the addresses."""
        self.abandon()
        for each in self._unix_sockets:
            each.remove()
        for shared in self._shared.values():
            shared.end()

    def abandon(self) -> None:
        """Close this process's copies of the sockets: another process goes on to listen."""
        for each in self.all:
            each.socket.close()

    def _bind(self, addresses: Sequence[Address], tries: int) -> None:
        try:
            with ExitStack() as binding:
                alone = {port: binding.enter_context(each.binding()) for port, each in self._shared.items()}
                for address in addresses:
                    self._listen(address, alone.get(address.port) if isinstance(address, Tcp) else None)
        except _RefusedError as refused:
            # Between two calls, the first to listen on a shared port may not seem to be there.
            if not self._shared or refused.error.errno != errno.EADDRINUSE or tries == 1:
                raise
            self.close()
            self.all, self._unix_sockets = [], []
            time.sleep(_BRIEFLY)
            self._bind(addresses, tries - 1)

    def _listen(self, address: Address, alone: bool | None) -> None:
        try:
            if isinstance(address, Unix):
                bound = UnixSocket(address.path)
                self._unix_sockets.append(bound)
                listening = bound.socket
            else:
                listening = _tcp(address, shares=alone is False)
            self.all.append(Listener(listening, address, self._allowed_hosts))
            listening.listen(_BACKLOG)
            if alone:  # only now: before, it could have joined strangers
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        except OSError as error:
            raise _RefusedError(address, error) from None


class _RefusedError(Exception):
    def __init__(self, address: Address, error: OSError) -> None:
        super().__init__(address, error)
        self.address, self.error = address, error


def _tcp(address: Tcp, shares: bool) -> socket.socket:
    """A bound socket; for every address of the machine, it takes those of both families where it can."""
    is_dual = not address.host and socket.has_dualstack_ipv6()
    host = address.host or ("::" if is_dual else "0.0.0.0")  # noqa: S104 - as told to
    try:
        family, _, _, _, where = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)[0]
    except UnicodeError:  # of a name that is none: it has a part that is empty, or too long
        raise socket.gaierror from None
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let another program listen there too
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_dual:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if shares:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(where)
    except BaseException:
        bound.close()
        raise
    return bound


def _told(address: Address, error: OSError, setting: str | None) -> ConfigError:
    host, named = (address.host, setting or "host") if isinstance(address, Tcp) else ("", setting or "port")
    if isinstance(error, socket.gaierror):
        return AddressError(f"host {host!r} is not known here", named)
    if error.errno == errno.EADDRINUSE:
        return AddressError(f"{address} is in use", setting or "port")
    if error.errno == errno.EADDRNOTAVAIL:
        return AddressError(f"{host} is no address of this machine", named)
    if error.errno == errno.EEXIST:
        return AddressError(f"{address} is there, and is no socket that this program's user left behind", named)
    if error.errno == errno.EACCES:
        advice = "; take one from 1024 up" if isinstance(address, Tcp) else ""
        return ConfigError(f"{address} needs a right that this program lacks{advice}")
    return ConfigError(f"cannot listen on {address}: {error.strerror or error}")
