"""The exporter's own HTTP server: a few threads in the program, which a slow client cannot hold up."""

import errno
import os
import socket
import time
from contextlib import AbstractContextManager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import TCPServer, ThreadingMixIn
from threading import Condition, Event, Thread
from typing import Any, Protocol, Self

from manometer.background import DAEMONS, in_background
from manometer.errors import ConfigError
from manometer.meters.fork import Forked, notice, renewed_in_child
from manometer.serving.hosts import Hosts
from manometer.serving.pages import Request, Response, Site, misdirected, respond

__all__ = ["AddressError", "Server"]

CONNECTIONS = 16
"""Connections that are served at once: a thread each."""
PATIENCE = 10.0
"""Seconds that a client may take to send a request or to take in an answer: Prometheus's own time-out."""
LAST_ANSWERS = 5.0
"""Seconds that closing waits for answers under way, before it leaves them to their threads."""
PAUSE = 0.1
"""Seconds without a new connection, where there is no room for one."""
_LACKING = {
    errno.EMFILE: "descriptor",
    errno.ENFILE: "descriptor",
    errno.ENOBUFS: "memory",
    errno.ENOMEM: "memory",
}
_TRIES = 5
_BRIEFLY = 0.02
"""Seconds between two tries to bind a port that is shared."""
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class AddressError(ConfigError):
    """An address that cannot be had. reason: why; setting: the one to change, `host` or `port`."""

    def __init__(self, reason: str, setting: str) -> None:
        super().__init__(f"{reason}; set MANOMETER_{setting.upper()} or pass {setting}=...")
        self.reason, self.setting = reason, setting


class Sharing(Protocol):
    """What knows the other processes that may listen on the port too."""

    def binding(self) -> AbstractContextManager[bool]:
        """Bind the port within this block: whether none of them listens, nor will meanwhile."""

    def end(self) -> None:
        """This process does not listen any more."""


class Server:
    """Listens from the first, and serves a site's pages from a daemon thread between `start()` and `close()`.

    When all connections are taken, the one that has kept silent longest makes room for the next.
    A forked child does not serve: it lets go of the parent's sockets.
    sharing: what knows the processes that may listen on the port too; each request goes to one of them.
    allowed_hosts: names by which it may be asked for on the loopback, besides its own; see Hosts.
    Raises ConfigError where the address cannot be had, an AddressError where another would do.
    """

    def __init__(
        self,
        site: Site,
        host: str,
        port: int,
        *,
        sharing: Sharing | None = None,
        allowed_hosts: str | None = None,
    ) -> None:
        self._sharing = sharing
        self._listener = _listen(site, host, port, sharing)
        self._listener.hosts = Hosts(str(self._listener.server_address[0]), host, allowed_hosts)
        self._thread: Thread | None = None
        self._closed = False
        renewed_in_child(self)

    def start(self) -> Self:
        """Serve; a client that came before was kept waiting."""
        serve = partial(self._listener.serve_forever, poll_interval=0.1)
        self._thread = in_background(serve, "manometer-http", self.close)
        return self

    @property
    def url(self) -> str:
        """Where the landing page is, without a slash at the end."""
        host, port = self._listener.server_address[:2]
        name = str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def close(self) -> None:
        """Stop serving and free the port, and wait for the answers under way; a second call does nothing."""
        notice()
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:  # `shutdown` would wait for ever for a thread that never was
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()
        if self._sharing is not None:
            self._sharing.end()
        self._listener.connections.close()
        self._listener.connections.wait(LAST_ANSWERS)

    def renew(self, _: Forked) -> None:
        """In a forked child: there is no thread to stop, only copies of the parent's sockets to close."""
        if not self._closed:
            self._closed = True
            self._listener.socket.close()
            self._listener.connections.abandon()


class _Connections:
    """The open connections: those whose client is to send or to take in, and those being answered."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Condition()
        self._waiting: dict[socket.socket, None] = {}  # in the order in which they fell silent
        self._busy: set[socket.socket] = set()
        self._closed = False

    def admit(self, connection: socket.socket) -> bool:
        """Take a new connection, where need be in the place of a silent one; False when all are busy."""
        with self._lock:
            if len(self._waiting) + len(self._busy) >= self._limit:
                if not self._waiting:
                    return False
                silent = next(iter(self._waiting))
                del self._waiting[silent]
                _hang_up(silent, socket.SHUT_RDWR)
            self._waiting[connection] = None
            return True

    def begin(self, connection: socket.socket) -> bool:
        """The connection's request is in; False where it had to make room, or the server has closed, meanwhile."""
        with self._lock:
            if self._closed or connection not in self._waiting:
                return False
            del self._waiting[connection]
            self._busy.add(connection)
            return True

    def end(self, connection: socket.socket) -> bool:
        """The answer is made, and it is the client's turn again; False where the server has closed."""
        with self._lock:
            self._busy.discard(connection)
            if not self._closed:
                self._waiting[connection] = None
            return not self._closed

    def drop(self, connection: socket.socket) -> None:
        """The connection is gone."""
        with self._lock:
            self._waiting.pop(connection, None)
            self._busy.discard(connection)
            self._lock.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until all are gone, at most so long."""
        with self._lock:
            self._lock.wait_for(lambda: not (self._waiting or self._busy), seconds)

    def close(self) -> None:
        """Read no further request; answers under way still go out."""
        with self._lock:
            self._closed = True
            for connection in self._waiting:
                _hang_up(connection, socket.SHUT_RD)

    def abandon(self) -> None:
        """Close this process's copies of the sockets, which leaves the connections themselves alone."""
        for connection in [*self._waiting, *self._busy]:
            with suppress(OSError):  # the parent was just closing it
                os.close(connection.detach())  # `close` would wait for the files that the handlers hold


class _Listener(ThreadingMixIn, HTTPServer):
    hosts: Hosts
    daemon_threads = DAEMONS
    block_on_close = False
    request_queue_size = 128

    def __init__(self, family: socket.AddressFamily, address: Any, site: Site, *, alone: bool | None = None) -> None:
        """alone: where the port is shared, whether nobody listens there yet."""
        self.address_family = family
        self.site = site
        self.allow_reuse_port = alone is False
        self._lets_join = alone is True
        self.connections = _Connections(CONNECTIONS)
        self._ends = Event()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's looks the host's name up, which may take seconds

    def server_activate(self) -> None:
        super().server_activate()
        if self._lets_join:  # only now: before, it could have joined strangers
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError as error:
            lacking = _LACKING.get(error.errno)  # type: ignore[arg-type]
            if lacking is not None:
                self.site.lacked(lacking, error)
                self._ends.wait(PAUSE)  # the connection still waits, so the next try would come at once
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self.connections.admit(request):
            self.site.lacked("connection")
            self._refuse(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError as error:  # no thread can be started
            self.site.lacked("thread", error)
            self._refuse(request)
        else:
            self.site.had("descriptor", "memory", "thread")

    def _refuse(self, request: socket.socket) -> None:
        with suppress(OSError):
            request.sendall(_BUSY)
        self.shutdown_request(request)

    def shutdown(self) -> None:
        self._ends.set()
        super().shutdown()

    def shutdown_request(self, request: Any) -> None:
        self.connections.drop(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no fault; one in an answer was logged where it arose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    disable_nagle_algorithm = True
    server: _Listener

    def _answer(self) -> None:
        # A body is never read, so what follows on the connection could not be told from the next request.
        self.close_connection |= "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        if not self.server.connections.begin(self.connection):
            self.close_connection = True
            return
        response = self._response()
        self.close_connection |= not self.server.connections.end(self.connection)
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _response(self) -> Response:
        host = self.headers.get("Host")
        if not self.server.hosts.allow(host):
            return misdirected(str(host))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        peer = str(self.client_address[0])
        return respond(self.server.site, Request(self.command, path, query, headers, peer))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method is answered, most of them with 405
            return self._answer
        raise AttributeError(name)

    def version_string(self) -> str:
        return "Manometer"  # and not which Python, which helps only an attacker

    def log_message(self, *_: Any) -> None:
        """Keep no access log: a scrape every few seconds is no news."""


def _listen(site: Site, host: str, port: int, sharing: Sharing | None) -> _Listener:
    where = f"port {port} on {host}"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bound(family, address, site, sharing)
    except socket.gaierror:
        raise AddressError(f"host {host!r} is not known here", "host") from None
    except OSError as error:
        errors: dict[int | None, ConfigError] = {
            errno.EADDRINUSE: AddressError(f"{where} is in use", "port"),
            errno.EACCES: ConfigError(f"{where} needs a right that this program lacks; take one from 1024 up"),
            errno.EADDRNOTAVAIL: AddressError(f"{host} is no address of this machine", "host"),
        }
        raise errors.get(error.errno) or ConfigError(f"cannot listen on {where}: {error.strerror}") from None


def _bound(family: socket.AddressFamily, address: Any, site: Site, sharing: Sharing | None) -> _Listener:
    if sharing is None:
        return _Listener(family, address, site)
    tries = _TRIES
    while True:
        try:
            with sharing.binding() as is_first:
                return _Listener(family, address, site, alone=is_first)
        except OSError as error:  # between two calls, the first may not seem to be there
            tries -= 1
            if error.errno != errno.EADDRINUSE or not tries:
                raise
            time.sleep(_BRIEFLY)


def _hang_up(connection: socket.socket, how: int) -> None:
    with suppress(OSError):  # the client may have been faster
        connection.shutdown(how)
