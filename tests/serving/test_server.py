"""The exporter's own server: no client can hold it up, and it ends without a trace."""

import errno
import gc
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client import Gauge

from forking import forked
from holding import Held
from manometer.errors import ConfigError
from manometer.serving import connection, doors, reception
from manometer.serving import server as module
from manometer.serving.connection import Connection
from manometer.serving.listeners import Listener
from manometer.serving.pages import Site
from manometer.serving.places import Places, places
from manometer.serving.server import Server
from waiting import DEADLINE, joined, readable, until


@pytest.fixture
def registry(figures):
    """A registry with one gauge."""
    Gauge("depth", "Depth.", registry=figures.registry).set(3)
    return figures.registry


@pytest.fixture
def server(registry):
    """A server of that registry on a free port."""
    server = Server(Site(registry), "127.0.0.1", 0).start()
    yield server
    server.close()


def _address(server):
    parts = urlsplit(server.url)
    return parts.hostname, parts.port


@contextmanager
def _client(server):
    connection = http.client.HTTPConnection(*_address(server), timeout=DEADLINE)
    with closing(connection):
        yield connection


def _get(connection, path="/metrics", method="GET", **arguments):
    connection.request(method, path, **arguments)
    answer = connection.getresponse()
    return answer, answer.read()


def _all(connection):
    """What comes in until the other side closes."""
    parts = []
    while part := connection.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def test_figures_are_served_literally(server):
    """A scrape over a socket."""
    with _client(server) as client:
        answer, body = _get(client)
    assert (answer.status, answer.headers["Server"]) == (200, "Manometer")
    assert body == b"# HELP depth Depth.\n# TYPE depth gauge\ndepth 3.0\n"


def test_a_connection_serves_many_requests(server):
    """Keep-alive: the same socket for each scrape."""
    with _client(server) as client:
        _get(client)
        first = client.sock
        assert first is not None
        for path in ("/", "/livez", "/readyz", "/nothing", "/metrics"):
            _get(client, path)
        assert client.sock is first


def test_head_has_the_length_and_no_body(server):
    """HEAD answers as GET would, less the body, and the connection stays usable."""
    with _client(server) as client:
        answer, body = _get(client, method="HEAD")
        assert (answer.headers["Content-Length"], body) == ("49", b"")
        assert _get(client)[0].status == 200


def test_answers_are_those_of_http(server):
    """Literally but for the date: no body behind HEAD's headers, and a client that wants to close is told so."""
    with closing(socket.create_connection(_address(server), timeout=DEADLINE)) as client:
        client.sendall(b"HEAD /metrics HTTP/1.1\r\n\r\nGET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert re.sub(rb"Date: .* GMT\r\n", b"", _all(client)) == (
            b"HTTP/1.1 200 OK\r\n"
            b"Server: Manometer\r\n"
            b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            b"Vary: Accept, Accept-Encoding\r\n"
            b"Content-Length: 49\r\n"
            b"\r\n"
            b"HTTP/1.1 200 OK\r\n"
            b"Server: Manometer\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: 3\r\n"
            b"Connection: close\r\n"
            b"\r\n"
            b"ok\n"
        )


def test_query_and_headers_reach_the_pages(server):
    """Whatever the case of a header's name."""
    with _client(server) as client:
        assert _get(client, "/metrics?name[]=nothing")[1] == b""
        body = _get(client, headers={"ACCEPT": "application/openmetrics-text"})[1]
        assert body == b"# HELP depth Depth.\n# TYPE depth gauge\ndepth 3.0\n# EOF\n"


@pytest.mark.parametrize("header", [b"Transfer-Encoding: chunked", b"content-length: 5"])
def test_a_request_with_a_body_is_the_last_of_its_connection(server, header):
    """The body is not read, so what follows cannot be told from a request."""
    with closing(socket.create_connection(_address(server), timeout=DEADLINE)) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\n" + header + b"\r\n\r\n")
        answer = _all(client)
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "BREW"])
def test_other_methods_are_refused(server, method):
    """405, whether HTTP knows the method or not; a body does not end up as the next request."""
    with _client(server) as client:
        answer, _ = _get(client, method=method, body=b"GET /metrics HTTP/1.1\r\n\r\n")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x00\xff\r\n\r\n", b"400"),
        (b"GET / HTTP/9\r\n\r\n", b"400"),
        (b"GET / HTTP/2.0\r\n\r\n", b"505"),
        (b"POST /\r\n\r\n", b"400"),
        (b"GET " + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 101 + b"\r\n", b"431"),
    ],
)
def test_a_malformed_request_costs_nobody_else(server, sent, status):
    """It is refused, by a status that any client understands, and the next client is served."""
    with closing(socket.create_connection(_address(server), timeout=DEADLINE)) as rude:
        rude.sendall(sent)
        assert _all(rude).startswith(b"HTTP/1.1 " + status)
    with _client(server) as client:
        assert _get(client)[0].status == 200


def test_silent_clients_do_not_hold_up_the_next_one(server):
    """More connections than are served at once say nothing, or half a request: a scrape still gets through."""
    silent = [socket.create_connection(_address(server), timeout=DEADLINE) for _ in range(2 * places().held)]
    try:
        for each in silent[::2]:
            each.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
        for _ in range(3):
            with _client(server) as client:
                assert _get(client)[0].status == 200
        assert len(server._reception._open) <= places().held + 1
        assert _threads() <= 1
    finally:
        for each in silent:
            each.close()


def _widened(registry):
    """The gauge of an answer that fills any socket's buffers."""
    wide = Gauge("wide", "Wide.", [f"label_{number}" for number in range(10)], registry=registry)
    for number in range(1000):
        wide.labels(*["x" * 1_000] * 9, "x" * 1_000 + str(number))
    return wide


def test_answers_that_nobody_takes_in_do_not_add_up(registry, server, monkeypatch):
    """The oldest end, which is counted, where all are too large; the newest goes out as a whole."""
    monkeypatch.setattr(reception, "SENDING", 15_000_000)
    wide = _widened(registry)
    with ExitStack() as stack:
        slow = []
        for number in range(3):
            wide.labels(*["y"] * 10).set(number)
            client = stack.enter_context(closing(socket.create_connection(_address(server), timeout=DEADLINE)))
            client.sendall(b"GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert client.recv(1) == b"H"
            slow.append(client)
        shortages = "manometer_server_shortages_total", {"manometer_server_resource": "memory"}
        until(lambda: registry.get_sample_value(*shortages) == 2)
        sizes = []
        for client in slow:
            with suppress(ConnectionResetError):
                sizes.append(len(_all(client)))
    assert sizes[-1] > 10_000_000
    assert all(size < 10_000_000 for size in sizes[:-1])


def test_a_client_that_does_not_take_its_answer_is_dropped_in_time(registry, monkeypatch):
    """An answer that fills the socket's buffers waits for its reader no longer than the time-out."""
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    _widened(registry)
    with (
        closing(Server(Site(registry), "127.0.0.1", 0).start()) as server,
        closing(socket.create_connection(_address(server), timeout=DEADLINE)) as slow,
    ):
        slow.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert readable(slow.fileno())
        until(lambda: not server._reception._open)
        assert len(_all(slow)) < 10_000_000


def test_a_silent_client_is_dropped_in_time(server, monkeypatch):
    """A connection that says nothing is closed, so that it holds no thread for ever."""
    monkeypatch.setattr(connection, "PATIENCE", 0.1)
    with closing(socket.create_connection(_address(server), timeout=DEADLINE)) as silent:
        assert silent.recv(1) == b""


def test_a_request_is_refused_while_as_many_wait_as_may(registry, monkeypatch):
    """503 at once, where every thread is at work: no queue that grows."""
    monkeypatch.setattr(module, "SPARE", 2)
    monkeypatch.setattr(reception, "places", lambda: Places(64, 0))
    entered, go_on = threading.Semaphore(0), threading.Event()

    def checks():
        entered.release()
        assert go_on.wait(DEADLINE)
        return []

    with closing(Server(Site(registry, checks), "127.0.0.1", 0).start()) as server:
        busy = [socket.create_connection(_address(server), timeout=DEADLINE) for _ in range(2)]
        for each in busy:
            each.sendall(b"GET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert entered.acquire(timeout=DEADLINE)
        with _client(server) as client:
            assert _get(client, "/readyz")[0].status == 503
        assert registry.get_sample_value(
            "manometer_server_shortages_total", {"manometer_server_resource": "connection"}
        )
        go_on.set()
        for each in busy:
            assert each.recv(1000).startswith(b"HTTP/1.1 200 OK")
            each.close()


OUT_OF_DESCRIPTORS = """
import logging, os, resource, socket, time
from contextlib import closing
from prometheus_client import CollectorRegistry
from manometer.serving.pages import Site
from manometer.serving.server import Server
logging.basicConfig(level=logging.INFO, format="%(message)s")
registry = CollectorRegistry()
with closing(Server(Site(registry), "127.0.0.1", 0).start()) as server:
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    early, late = socket.socket(), socket.socket()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    for descriptor in range(3, highest + 1):  # so that none below the limit is free
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(0, descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, limits[1]))
    early.connect(address)
    early.sendall(b"GET /livez HTTP/1.0\\r\\n\\r\\n")
    shortages = 'manometer_server_shortages_total', {'manometer_server_resource': 'descriptor'}
    while (registry.get_sample_value(*shortages) or 0) < 3:
        time.sleep(0.01)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    print(early.recv(15).decode())
    late.connect(address)
    late.sendall(b"GET /livez HTTP/1.0\\r\\n\\r\\n")
    print(late.recv(15).decode())
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this platform does not list descriptors")
def test_without_a_file_descriptor_connections_wait_for_one():
    """It is counted, and logged once; the client that came meanwhile is answered."""
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_DESCRIPTORS], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.stdout.split("\n") == ["HTTP/1.1 200 OK", "HTTP/1.1 200 OK", ""], done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("the exporter's server")]
    assert lines == [
        "the exporter's server has no descriptor left ([Errno 24] Too many open files); connections wait",
        "the exporter's server has a descriptor again",
    ]


def test_a_connection_that_cannot_be_taken_is_not_tried_for_at_once(server, monkeypatch, figures):
    """A core would be busy with that; a close does not wait for it."""
    tried = threading.Semaphore(0)

    def refused(_):
        tried.release()
        raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))

    monkeypatch.setattr(doors, "PAUSE", DEADLINE)
    monkeypatch.setattr(Listener, "accept", refused)
    with closing(socket.create_connection(_address(server), timeout=DEADLINE)):
        assert tried.acquire(timeout=DEADLINE)
        assert not tried.acquire(timeout=0.3)
        server.close()
    assert figures("manometer_server_shortages_total", manometer_server_resource="descriptor") == 1


def test_a_connection_without_a_thread_is_refused(server, monkeypatch, figures):
    """503, where the system allows for no more."""

    def none_left(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        with _client(server) as client:
            assert _get(client)[0].status == 503
    with _client(server) as client:
        assert _get(client)[0].status == 200
    assert figures("manometer_server_shortages_total", manometer_server_resource="thread") == 1


def test_a_connection_that_cannot_be_taken_over_costs_no_other(server, monkeypatch, caplog):
    """Such as for want of memory: it is closed and logged, and the next one is served."""
    with monkeypatch.context() as patch:

        def fails(*_):
            raise MemoryError("no more")

        patch.setattr(Connection, "__init__", fails)
        with closing(socket.create_connection(_address(server), timeout=DEADLINE)) as lost:
            assert lost.recv(1) == b""
    assert "a connection could not be taken" in caplog.text
    with _client(server) as client:
        assert _get(client)[0].status == 200


def test_an_answered_connection_takes_one_place(registry, monkeypatch):
    """Two that were answered and are kept open fill two places, and neither has to go."""
    monkeypatch.setattr(reception, "places", lambda: Places(2, 64))
    with (
        closing(Server(Site(registry), "127.0.0.1", 0).start()) as server,
        _client(server) as one,
        _client(server) as other,
    ):
        for client in (one, other, one, other):
            sock = client.sock
            assert _get(client)[0].status == 200
            assert sock in (None, client.sock)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_answer_that_is_broken_off_frees_its_place(registry, monkeypatch):
    """Such as by a check that ends the thread that it runs in."""

    def checks():
        raise SystemExit

    monkeypatch.setattr(module, "SPARE", 1)
    with closing(Server(Site(registry, checks), "127.0.0.1", 0).start()) as server:
        with _client(server) as client, pytest.raises(ConnectionError):
            _get(client, "/readyz")
        with _client(server) as client:
            assert _get(client)[0].status == 200
    # pytest is told of the exception when the thread ends: that has to be within this test.
    until(lambda: not any(each.name == "manometer-answer" for each in threading.enumerate()))


def test_the_thread_has_a_name_and_keeps_no_program_from_ending(server):
    """Whoever lists the threads can tell whose this one is; a program need not close its exporter to end."""
    (thread,) = [each for each in threading.enumerate() if each.name == "manometer-http"]
    assert thread.daemon


def test_scrapes_at_once_all_get_whole_answers(server):
    """Eight clients, a few scrapes each."""
    bodies = []

    def scrape():
        with _client(server) as client:
            bodies.extend(_get(client)[1] for _ in range(5))

    threads = [threading.Thread(target=scrape) for _ in range(8)]
    for each in threads:
        each.start()
    joined(*threads)
    assert len(bodies) == 40
    assert len(set(bodies)) == 1


def test_a_taken_port_is_an_error_that_says_what_to_do(server, registry):
    """The port, the address, the variable and the argument are named."""
    _, port = _address(server)
    with pytest.raises(ConfigError) as raised:
        Server(Site(registry), "127.0.0.1", port)
    assert str(raised.value) == (f"port {port} on 127.0.0.1 is in use; set MANOMETER_PORT or pass port=...")


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("192.0.2.1", "192.0.2.1 is no address of this machine; set MANOMETER_HOST or pass host=..."),
        ("no such host", "host 'no such host' is not known here; set MANOMETER_HOST or pass host=..."),
        ("a..b", "host 'a..b' is not known here; set MANOMETER_HOST or pass host=..."),
    ],
)
def test_a_wrong_host_is_an_error_that_says_what_to_do(registry, host, message):
    """An address of another machine, and a name that no one knows."""
    with pytest.raises(ConfigError) as raised:
        Server(Site(registry), host, 0)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.EACCES, "port 80 on 127.0.0.1 needs a right that this program lacks; take one from 1024 up"),
        (errno.EMFILE, f"cannot listen on port 80 on 127.0.0.1: {os.strerror(errno.EMFILE)}"),
    ],
)
def test_whatever_else_the_system_refuses_is_told(registry, monkeypatch, code, message):
    """A port for administrators alone has a hint; the rest is in the system's own words."""

    def refused(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(socket.socket, "bind", refused)
    with pytest.raises(ConfigError) as raised:
        Server(Site(registry), "127.0.0.1", 80)
    assert str(raised.value) == message


def test_ipv6_is_served(registry):
    """The URL has the address in brackets."""
    try:
        server = Server(Site(registry), "::1", 0).start()
    except ConfigError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with closing(server), _client(server) as client:
        assert server.url.startswith("http://[::1]:")
        assert _get(client)[0].status == 200


def test_closing_frees_the_port_and_ends_every_thread(registry):
    """A second close does nothing; a client that kept its connection gets no further answer."""
    server = Server(Site(registry), "127.0.0.1", 0).start()
    with _client(server) as client:
        _get(client)
        server.close()
        server.close()
        with pytest.raises(OSError):  # noqa: PT011 - reset or refused, as the moment has it
            _get(client)
    until(lambda: _threads() == 0)
    Server(Site(registry), *_address(server)).close()


def test_closing_waits_for_the_answers_under_way(registry):
    """A scrape that the end of the program meets is answered in full."""
    held = Held(registry)
    server = Server(Site(registry), "127.0.0.1", 0).start()
    with _client(server) as connection:
        connection.request("GET", "/metrics")
        assert held.entered.acquire(timeout=DEADLINE)
        closer = threading.Thread(target=server.close)
        closer.start()
        until(lambda: server._closed)
        assert closer.is_alive()
        held.may.set()
        answer = connection.getresponse()
        assert b"held 1.0\n" in answer.read()
        joined(closer)


def test_closing_waits_no_longer_than_it_may(registry, monkeypatch):
    """For a collector that hangs, as for a client that takes nothing in."""
    monkeypatch.setattr(module, "LAST_ANSWERS", 0.01)
    held = Held(registry)
    server = Server(Site(registry), "127.0.0.1", 0).start()
    with _client(server) as connection:
        connection.request("GET", "/metrics")
        assert held.entered.acquire(timeout=DEADLINE)
        server.close()
        held.may.set()
        assert b"held 1.0\n" in connection.getresponse().read()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_neither_serves_nor_keeps_the_port(registry):
    """The child can close what it inherited; once the parent has closed, its port is free though the child lives."""
    server = Server(Site(registry), "127.0.0.1", 0).start()
    address = _address(server)
    read, write = os.pipe()
    closed_read, closed_write = os.pipe()

    def child():
        os.close(write)
        server.close()
        os.write(closed_write, b"x")
        os.read(read, 1)  # until the parent is done

    with _client(server) as client:
        _get(client)
        with forked(child):
            assert readable(closed_read)
            assert _get(client)[0].status == 200
            server.close()
            Server(Site(registry), *address).close()
            os.close(write)
    for end in (read, closed_read, closed_write):
        os.close(end)


def test_a_child_closes_its_copies_of_the_connections_alone():
    """Even one that the parent was closing; what the parent holds stays open."""
    parents, client = socket.socketpair()
    with parents, client:
        desk = reception.Reception([], lambda: False, [], lambda _: None, lambda _: None, lambda *_: None)
        inherited, closed = (Connection(parents.dup(), None, None, shakes=False) for _ in range(2))
        desk._open = {inherited, closed}
        os.close(closed.socket.fileno())
        desk.abandon()
        assert (inherited.socket.fileno(), closed.socket.fileno()) == (-1, -1)
        parents.sendall(b"x")
        assert client.recv(1) == b"x"


def _threads():
    """How many connections are being handled."""
    gc.collect()
    return sum(each.name == "manometer-answer" for each in threading.enumerate())
