"""The exporter's own HTTP server: a few threads in the program, which a slow client cannot hold up."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Self

from manometer.meters.fork import Forked, notice, renewed_in_child
from manometer.serving.addresses import AddressError, Tcp, addresses
from manometer.serving.connection import Connection
from manometer.serving.guard import Guard
from manometer.serving.handler import answered
from manometer.serving.hands import Hands
from manometer.serving.lane import Lane
from manometer.serving.listeners import Listeners, Sharing
from manometer.serving.reception import Reception
from manometer.serving.site import Site

__all__ = ["AddressError", "Server"]

LAST_ANSWERS = 5.0
"""Seconds that closing waits for answers under way, before it leaves them to their threads."""
SPARE = 4
"""Threads for all that is no scrape, and as many for handshakes: scrapes cannot keep probes from an answer."""

_log = logging.getLogger("manometer")


class Server:
    """Listens from the first, and serves a site's pages from daemon threads between `start()` and `close()`.

    A request takes a thread when it is there as a whole, until its answer is made.
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
        if listen_addresses is None:
            self._listeners = Listeners([Tcp(host, port)], allowed_hosts, sharing)
        else:
            self._listeners = Listeners(addresses(listen_addresses), allowed_hosts, sharing, "listen_addresses")
        self._scrapes, self._others = Lane(site.scrapes.limit, "scrape"), Lane(SPARE, "connection", spare=True)
        self._handshakes = Lane(SPARE, "connection", spare=True)
        self._hands = Hands(self._go_on)
        listening, shakes = self._listeners.all, self._guard.shakes
        lanes = self._scrapes, self._others, self._handshakes
        self._reception = Reception(listening, shakes, lanes, self._lane, self._begin, site.lacked)
        self._closed = False
        renewed_in_child(self)

    def start(self) -> Self:
        """Serve; a client that came before was kept waiting."""
        self._reception.start()
        self._guard.warn_of(self._listeners.all)
        return self

    def show(self, site: Site, allowed_hosts: str | None) -> None:
        """Answer by that site from now on, and to requests for these names; see Hosts."""
        self._site = self._guard.site = site
        for each in self._listeners.all:
            each.allow(allowed_hosts)

    @property
    def urls(self) -> list[str]:
        """Where the landing page is, without a slash at the end, for each address; `unix:` and a path of a socket."""
        scheme = "https" if self._guard.shakes() else "http"
        names = [each.name for each in self._listeners.all]
        return [name if name.startswith("unix:") else f"{scheme}://{name}" for name in names]

    @property
    def url(self) -> str:
        """The first of them."""
        return self.urls[0]

    def close(self) -> None:
        """Stop serving and free the address, and wait for the answers under way; a second call does nothing."""
        notice()
        if self._closed:
            return
        self._closed = True
        self._reception.close()
        self._listeners.close()
        self._reception.wait(LAST_ANSWERS)
        self._hands.end()

    def renew(self, _: Forked) -> None:
        """In a forked child: there is no thread to stop, only copies of the parent's sockets to close."""
        if not self._closed:
            self._closed = True
            self._listeners.abandon()
            self._reception.abandon()

    def _lane(self, connection: Connection) -> Lane:
        if connection.shakes:
            return self._handshakes
        return self._scrapes if connection.path == self._site.figures else self._others

    def _begin(self, connection: Connection) -> None:
        """Have a thread go on with the connection."""
        self._site.had("descriptor", "memory")
        self._hands.begin(connection)

    def _go_on(self, connection: Connection) -> None:
        connection.is_over = True  # where anything goes wrong
        try:
            self._site.had("thread")
            self._shake(connection) if connection.shakes else self._answer(connection)
        except Exception:
            _log.exception("a connection was lost")
        finally:
            self._reception.give_back(connection)

    def _shake(self, connection: Connection) -> None:
        refused = connection.shake(self._guard.tls)
        if refused is not None:
            self._site.refused(refused)
        connection.is_over = refused is not None

    def _answer(self, connection: Connection) -> None:
        answer = partial(self._guard.answer, connection.listener.hosts)
        is_whole = connection.has_whole_request
        parts, used, closes = answered(bytes(connection.received), connection.peer, answer)
        del connection.received[:used]
        connection.is_over = False
        connection.answer(parts, closes or not is_whole)
