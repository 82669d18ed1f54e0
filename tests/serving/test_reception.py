"""Clients are held without a thread: by turns that end, in places that are few, and in lanes apart."""

import http.client
import socket
import threading
from contextlib import ExitStack, closing, contextmanager
from http import HTTPStatus
from math import inf

import pytest
from prometheus_client import CollectorRegistry, Gauge

from manometer.serving import connection, held, reception
from manometer.serving.connection import Connection
from manometer.serving.crowd import of_most
from manometer.serving.handler import answered
from manometer.serving.lane import Lane
from manometer.serving.pages import Request, Response, Site
from manometer.serving.places import Places, places
from manometer.serving.server import Server
from waiting import DEADLINE, joined, readable, until

GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def server():
    """A server of nothing."""
    with closing(Server(Site(CollectorRegistry()), "127.0.0.1", 0).start()) as server:
        yield server


@contextmanager
def connected(server):
    """A client's socket."""
    port = int(server.url.rpartition(":")[2])
    with closing(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)) as client:
        yield client


def ended(client):
    """Whether the server has closed the connection, be it with a request unread."""
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


@pytest.fixture
def pair():
    """A connection, and its client's end."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with closing(ours), closing(theirs):
        yield Connection(ours, "192.0.2.1", None, shakes=False), theirs


@pytest.fixture
def clock(monkeypatch):
    """The time of connections, which the test decides."""
    now = [100.0]
    monkeypatch.setattr(connection, "monotonic", lambda: now[0])
    return now


def test_bytes_make_no_turn_longer(pair, clock):
    """A request has ten seconds from its first byte, and a new connection from its beginning."""
    ours, theirs = pair
    ours.until = 110
    for byte in GET:
        clock[0] += 1
        theirs.send(bytes([byte]))
        ours.receive()
        assert ours.until == 110
    assert ours.has_request


def test_a_turn_begins_with_a_request_and_with_its_answer(pair, clock):
    """Between them, a client may be silent for as long as it takes until the next scrape."""
    ours, theirs = pair
    ours.answer([b"a"], closes=False)
    assert (ours.until, ours.is_over) == (100 + connection.IDLE, False)
    clock[0] = 150
    theirs.send(b"G")
    ours.receive()
    assert ours.until == 150 + connection.PATIENCE
    clock[0] = 151
    theirs.send(b"E")
    ours.receive()
    assert ours.until == 150 + connection.PATIENCE


def test_the_beginning_of_a_request_that_came_with_the_one_before_has_its_turn(pair, clock):
    """Ten seconds too, and not as long as a client may be silent."""
    ours, theirs = pair
    theirs.send(GET + b"G")
    ours.receive()
    del ours.received[: len(GET)]
    clock[0] = 105
    ours.answer([b"a"], closes=False)
    assert ours.until == 105 + connection.PATIENCE
    clock[0] = 106
    theirs.send(b"E")
    ours.receive()
    assert ours.until == 105 + connection.PATIENCE


def test_an_answer_is_sent_as_the_client_takes_it_in(pair):
    """All of it, in order, whatever the pieces; and none of it is waited for."""
    ours, theirs = pair
    parts = [b"head", b"a" * 3_000_000, b"", b"tail"]
    ours.answer(parts, closes=True)
    assert ours.is_sending
    assert not ours.is_over
    taken = b""
    while not ours.is_over:
        taken += theirs.recv(1 << 20)
        ours.send()
    ours.close()
    while part := theirs.recv(1 << 20):
        taken += part
    assert taken == b"".join(parts)


def test_one_that_takes_in_an_answer_has_a_second_more_than_a_silent_one(pair, clock):
    """Else a crowd of scrapers would cut each other off."""
    ours, theirs = pair
    ours.answer([b"a" * 3_000_000], closes=False)
    assert ours.silent_since == 101
    while ours.is_sending:
        theirs.recv(1 << 20)
        ours.send()
    assert ours.silent_since == 100


def test_a_client_that_is_gone_is_noticed(pair):
    """At the next read."""
    ours, theirs = pair
    theirs.close()
    ours.receive()
    assert ours.is_over


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"GET /metrics?name[]=a HTTP/1.1", "/metrics"),
        (b"GET //metrics HTTP/1.1", "/metrics"),
        (b"GET\t/metrics  HTTP/1.1", "/metrics"),
        (b"GET /m\xe9 HTTP/1.1", "/m\xe9"),
        (b"GET", ""),
        (b"", ""),
        (b"GET http://a/metrics HTTP/1.1", "http://a/metrics"),
    ],
)
def test_the_path_is_what_the_pages_get(pair, line, path):
    """So that no scrape takes the place of a probe by how it is written."""
    ours, _ = pair
    ours.received += line + b"\r\n\r\n"
    assert ours.path == path
    paths = []

    def answer(request):
        paths.append(request.path)
        return Response(HTTPStatus.OK, (), b"")

    answered(bytes(ours.received), None, answer)
    assert paths in ([path], [])


def test_a_request_and_its_answer_are_bytes():
    """What follows stays for the next one, and large bodies are not copied."""
    body = b"x" * 100
    asked = []

    def answer(request):
        asked.append(request)
        return Response(HTTPStatus.OK, (("A", "b"),), body)

    parts, used, closes = answered(b"GET /a?b HTTP/1.1\r\nX: y\r\n\r\nGET /c", "192.0.2.1", answer)
    assert asked == [Request("GET", "/a", "b", {"x": "y"}, "192.0.2.1")]
    assert parts[-1] is body
    assert (used, closes) == (len(b"GET /a?b HTTP/1.1\r\nX: y\r\n\r\n"), False)


def test_requests_may_follow_each_other_at_once(server):
    """Each is answered in its turn."""
    with connected(server) as client:
        client.sendall(3 * GET + GET.replace(b"Host", b"Connection: close\r\nHost"))
        found = b""
        while part := client.recv(1 << 16):
            found += part
    assert found.count(b"HTTP/1.1 200 OK\r\n") == 4


def test_a_head_without_an_end_is_refused(server):
    """By what http.server has to say, and the connection ends."""
    with connected(server) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 25_000)
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 431 ")


def test_clients_that_wait_take_no_thread(server):
    """Neither silent ones nor those that say nothing more."""
    with connected(server) as first, connected(server) as second:
        first.sendall(GET)
        assert readable(first.fileno())
        second.sendall(GET[:10])
        until(lambda: len(server._reception._held) == 2)
        until(lambda: not any(each.name == "manometer-answer" for each in threading.enumerate()))


def test_nothing_happens_while_nobody_asks(server):
    """The thread sleeps until somebody does, or until a turn ends."""
    until(lambda: server._reception._doors.are_open)
    assert server._reception._patience() is None
    with connected(server) as client:
        client.sendall(GET)
        assert readable(client.fileno())
        until(lambda: server._reception._held)
        assert server._reception._patience() > connection.PATIENCE / 2


def test_answers_that_are_not_taken_in_are_bounded(monkeypatch):
    """Of clients with answers of their own, the first makes room, and that is counted; the last goes on."""
    monkeypatch.setattr(reception, "SENDING", 25_000_000)
    registry = CollectorRegistry()
    wide = Gauge("wide", "Wide.", ["label"], registry=registry)
    for number in range(5_000):
        wide.labels(str(number) + "x" * 2_000).set(1)
    with closing(Server(Site(registry), "127.0.0.1", 0).start()) as server, ExitStack() as stack:
        clients = []
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.settimeout(DEADLINE)
            client.connect(("127.0.0.1", int(server.url.rpartition(":")[2])))
            client.sendall(GET.replace(b"/livez", b"/metrics").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            clients.append(client)
            until(lambda: sum(each.is_sending for each in list(server._reception._held)) == min(len(clients), 2))
        shortages = "manometer_server_shortages_total", {"manometer_server_resource": "memory"}
        until(lambda: registry.get_sample_value(*shortages) == 1)
        with closing(http.client.HTTPResponse(clients[2])) as last:
            last.begin()
            assert len(last.read()) > 10_000_000


def test_an_answer_that_is_shared_counts_once(pair):
    """However many are to take it in."""
    body = bytes(10_000_000)
    ours, _ = pair
    first, second = socket.socketpair()
    with closing(first), closing(second):
        other = Connection(first, None, None, shakes=False)
        for each in (ours, other):
            each.answer([body], closes=False)
        assert reception._bytes_of([ours, other]) == len(body)
        ours.close()
        other.close()


def test_who_is_alone_stays_where_an_address_has_many():
    """Of those that are held the first of the crowd goes, of those that wait the last."""
    clients = [Connection(socket.socket(), peer, None, shakes=False) for peer in ("a", "b", "c", "b", "a", "b")]
    assert of_most(clients) == [clients[1], clients[3], clients[5]]
    assert of_most(clients[:2]) == clients[:1]
    for each in clients:
        each.close()


def test_a_crowd_costs_nobody_else_a_place(server):
    """A silent client of another address is held while one address opens connections without end."""
    port = int(server.url.rpartition(":")[2])
    alone = socket.create_connection(("127.0.0.1", port), DEADLINE, source_address=("127.0.0.2", 0))
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) for _ in range(2 * places().held)]
    with closing(alone):
        alone.sendall(GET)
        assert alone.recv(15) == b"HTTP/1.1 200 OK"
    for each in crowd:
        each.close()


def test_closing_lets_answers_under_way_go_out():
    """And takes no further request."""
    entered, may = threading.Event(), threading.Event()

    def checks():
        entered.set()
        assert may.wait(DEADLINE)
        return []

    server = Server(Site(CollectorRegistry(), checks), "127.0.0.1", 0).start()
    with connected(server) as client, connected(server) as silent:
        client.sendall(GET.replace(b"livez", b"readyz"))
        assert entered.wait(DEADLINE)
        closing_it = threading.Thread(target=server.close, name="closing")
        closing_it.start()
        assert silent.recv(1) == b""
        may.set()
        found = b""
        while part := client.recv(1 << 16):
            found += part
        joined(closing_it)
    assert found.endswith(b"\r\n\r\nready\n")
    until(lambda: not any(each.name.startswith("manometer-") for each in threading.enumerate()))


def test_a_fault_of_ours_costs_one_client(server, monkeypatch, caplog):
    """It is logged, and the next client is answered."""
    with monkeypatch.context() as patch, connected(server) as client:
        patch.setattr("manometer.serving.server.answered", None)
        client.sendall(GET)
        assert ended(client)
    with monkeypatch.context() as patch, connected(server) as client:
        patch.setattr(Connection, "receive", None)
        client.sendall(GET)
        assert ended(client)
    assert caplog.messages == ["a connection was lost", "a connection was lost"]
    with connected(server) as client:
        client.sendall(GET)
        assert client.recv(15) == b"HTTP/1.1 200 OK"


def test_a_server_that_was_never_started_closes():
    """Without a thread to wait for."""
    Server(Site(CollectorRegistry()), "127.0.0.1", 0).close()


def test_who_takes_in_no_answer_gets_no_more(monkeypatch):
    """Until it does; the requests of others are answered meanwhile, also those that came later."""
    monkeypatch.setattr(reception, "UNTAKEN", 2)
    monkeypatch.setattr(connection, "PATIENCE", DEADLINE)
    large = CollectorRegistry()
    Gauge("large", "x" * 20_000_000, registry=large)
    with closing(Server(Site(large), "127.0.0.1", 0).start()) as server, ExitStack() as open_ones:
        slow = [open_ones.enter_context(connected(server)) for _ in range(3)]
        for number, each in enumerate(slow[:2], start=1):
            each.sendall(GET.replace(b"livez", b"metrics"))
            until(lambda wanted=number: sum(each.is_sending for each in [*server._reception._held]) == wanted)
        slow[2].sendall(GET.replace(b"livez", b"metrics"))
        until(lambda: server._scrapes.waiting)
        port = int(server.url.rpartition(":")[2])
        with closing(socket.create_connection(("127.0.0.1", port), DEADLINE, ("127.0.0.2", 0))) as other:
            other.sendall(GET.replace(b"livez", b"metrics"))
            assert other.recv(15) == b"HTTP/1.1 200 OK"
        with connected(server) as probe:
            probe.sendall(GET)
            assert probe.recv(15) == b"HTTP/1.1 200 OK"
        assert server._scrapes.waiting
        slow[0].close()
        assert slow[2].recv(15) == b"HTTP/1.1 200 OK"


def test_the_addresses_take_turns(pair):
    """Of requests that wait, that of the address goes on which has least of the threads by now."""
    lane = Lane(1, "scrape")
    ours, _ = pair
    waiting = [Connection(ours.socket, peer, None, shakes=False) for peer in ("many", "many", "few", "none")]
    lane.waiting.update(dict.fromkeys(waiting, 0.0))
    burdens = {"many": 2.0, "few": 1.0, "endless": inf}
    assert [lane.next(burdens).peer for _ in waiting] == ["none", "few", "many", "many"]
    assert lane.next(burdens) is None
    lane.waiting[Connection(ours.socket, "endless", None, shakes=False)] = 0.0
    assert lane.next(burdens) is None
    lane.spare = True
    assert lane.next(burdens).peer == "endless"


def test_requests_in_pieces_are_looked_at_together_now_and_then(server, monkeypatch):
    """Not at each piece: those who send bytes one by one would keep the program from its work. Others are heard."""
    monkeypatch.setattr(held, "_NOW_AND_THEN", DEADLINE)
    ours = server._reception
    with connected(server) as slow, connected(server) as other:
        slow.sendall(GET[:-2])
        (in_pieces,) = until(
            lambda: [each for each in [*ours._held] if ours._held._heard_by.get(each) is ours._held._now_and_then]
        )
        slow.sendall(GET[-2:])
        other.sendall(GET)
        assert other.recv(15) == b"HTTP/1.1 200 OK"
        assert in_pieces.received == GET[:-2]
        ours._held._looks_at = 0.0
        other.sendall(GET)  # which wakes it
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
    until(lambda: not ours._open)
    assert not ours._held._heard_by
    assert not ours._held._now_and_then.get_map()


def test_in_a_crowd_all_are_looked_at_together(monkeypatch):
    """Who comes with a request is answered at once even so."""
    monkeypatch.setattr(reception, "places", lambda: Places(4, 4))
    monkeypatch.setattr(held, "_NOW_AND_THEN", DEADLINE)
    with closing(Server(Site(CollectorRegistry()), "127.0.0.1", 0).start()) as server, ExitStack() as crowd:
        ours = server._reception
        for number in range(1, 4):
            crowd.enter_context(connected(server))
            until(lambda wanted=number: len(ours._held) == wanted)
        assert [by is ours._held._now_and_then for by in ours._held._heard_by.values()] == [False, False, True]
        client = crowd.enter_context(connected(server))
        client.sendall(GET)
        ours._held._looks_at = 0.0  # where it came before its request
        assert client.recv(15) == b"HTTP/1.1 200 OK"


def test_a_request_in_pieces_is_answered(server):
    """However small they are."""
    with connected(server) as client:
        for byte in GET:
            client.sendall(bytes([byte]))
        assert client.recv(15) == b"HTTP/1.1 200 OK"


def test_who_takes_in_nothing_by_a_unix_socket_keeps_nobody_else_from_it(tmp_path, monkeypatch):
    """There, all clients have the same address: none."""
    monkeypatch.setattr(reception, "UNTAKEN", 1)
    large = CollectorRegistry()
    Gauge("large", "x" * 20_000_000, registry=large)
    with (
        closing(Server(Site(large), "127.0.0.1", 0, listen_addresses=f"unix:{tmp_path}/socket").start()) as server,
        closing(socket.socket(socket.AF_UNIX)) as slow,
        closing(socket.socket(socket.AF_UNIX)) as other,
    ):
        for each in (slow, other):
            each.settimeout(DEADLINE)
            each.connect(f"{tmp_path}/socket")
        slow.sendall(GET.replace(b"livez", b"metrics"))
        until(lambda: any(each.is_sending for each in [*server._reception._held]))
        other.sendall(GET.replace(b"livez", b"metrics"))
        assert other.recv(15) == b"HTTP/1.1 200 OK"
