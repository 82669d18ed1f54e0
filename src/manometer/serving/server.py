"""The exporter's own HTTP server: a few threads in the program, which a slow client cannot hold up."""

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Self

from manometer.background import DAEMONS
from manometer.meters.fork import Forked, notice, renewed_in_child
from manometer.serving.acceptor import Acceptor
from manometer.serving.addresses import AddressError, Tcp, addresses
from manometer.serving.connections import Connection, Connections
from manometer.serving.guard import Guard
from manometer.serving.handler import Handler, secured
from manometer.serving.listeners import Listener, Listeners, Sharing
from manometer.serving.pages import Site

__all__ = ["AddressError", "Server"]

SPARE = 4
"""Connections beyond those of scrapes, so that probes are answered in any case."""
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Listens from the first, and serves a site's pages from daemon threads between `start()` and `close()`.

    When all connections are taken, the one that has kept silent longest makes room for the next.
    A forked child does not serve: it lets go of the parent's sockets.
    listen_addresses: in place of host and port, see addresses; web_config_file: TLS and who may ask, see web_config;
    sharing: gives what knows the processes that may listen on a port too; each request goes to one of them;
    allowed_hosts: names by which it may be asked for on the loopback, besides its own; see Hosts.
    Raises ConfigError where the address cannot be had, an AddressError where another would do.
    """

    def __init__(
        self,
        site: Site,
        host: str,
        port: int,
        *,
        listen_addresses: str | None = None,
        web_config_file: str | None = None,
        sharing: Callable[[int], Sharing | None] | None = None,
        allowed_hosts: str | None = None,
    ) -> None:
        self._site = site
        self._guard = Guard(site, web_config_file)
        named = listen_addresses is not None
        where = addresses(listen_addresses) if listen_addresses is not None else (Tcp(host, port),)
        self._listeners = Listeners(where, allowed_hosts, sharing, "listen_addresses" if named else None)
        self._connections = Connections(site.scrapes.limit + SPARE)
        self._acceptor = Acceptor(self._listeners.all, self._took, site.lacked)
        self._closed = False
        renewed_in_child(self)

    def start(self) -> Self:
        """Serve; a client that came before was kept waiting."""
        self._acceptor.start()
        self._guard.warn_of(self._listeners.all)
        return self

    @property
    def urls(self) -> list[str]:
        """Where the landing page is, without a slash at the end, for each address; `unix:` and a path of a socket."""
        scheme = "https" if self._guard.tls is not None else "http"
        names = [each.name for each in self._listeners.all]
        return [name if name.startswith("unix:") else f"{scheme}://{name}" for name in names]

    @property
    def url(self) -> str:
        """The first of them."""
        return self.urls[0]

    def close(self) -> None:
        """Stop serving and free the address; a second call does nothing."""
        notice()
        if self._closed:
            return
        self._closed = True
        self._acceptor.close()
        self._listeners.close()
        self._connections.close()

    def renew(self, _: Forked) -> None:
        """In a forked child: there is no thread to stop, only copies of the parent's sockets to close."""
        if not self._closed:
            self._closed = True
            self._listeners.abandon()
            self._acceptor.abandon()
            self._connections.abandon()

    def _took(self, listener: Listener, client: socket.socket, peer: str | None) -> None:
        connection = Connection(client, peer)
        if not self._connections.admit(connection):
            self._site.lacked("connection")
            _refuse(connection)
            return
        try:
            Thread(target=self._serve, args=(listener, connection), name=_CONNECTION, daemon=DAEMONS).start()
        except RuntimeError as error:  # no thread can be started
            self._site.lacked("thread", error)
            self._connections.drop(connection)
            _refuse(connection)
        else:
            self._site.had("descriptor", "memory", "thread")

    def _serve(self, listener: Listener, connection: Connection) -> None:
        try:
            # A client that went away is no fault; one in an answer was logged where it arose.
            with suppress(Exception):
                tls = self._guard.tls
                if tls is None or secured(connection, self._connections, tls, self._site.refused):
                    Handler(connection, self._connections, partial(self._guard.answer, listener.hosts))
        finally:
            self._connections.drop(connection)
            connection.close()


_CONNECTION = "manometer-connection"


def _refuse(connection: Connection) -> None:
    with suppress(OSError):
        connection.socket.settimeout(0)
        connection.socket.send(_BUSY)
    connection.close()
