"""Checks of other services, against real ones on the loopback."""

import socket
import threading
from contextlib import closing

import pytest

from answering import answering
from manometer.checks import http, otlp
from manometer.errors import BindingError
from manometer.health import Checks, Finding, check
from ports import reserved_port
from waiting import DEADLINE, until


def _answers(status, **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.mark.parametrize(
    ("answered", "expected", "problem"),
    [
        (200, None, None),
        (204, None, None),
        (302, None, "answers 302, not 200 to 299"),
        (404, None, "answers 404, not 200 to 299"),
        (503, None, "answers 503, not 200 to 299"),
        (302, 302, None),
        (401, 401, None),
        (200, 204, "answers 200, not 204"),
    ],
)
def test_a_url_answers_as_it_should(answered, expected, problem):
    """By its own status: where it sends to is not asked."""
    with answering(_answers(answered, Location="http://127.0.0.1:1/")) as url:
        found = http(url, status=expected)()
        assert found == Finding(None if problem is None else f"{url} {problem}")


def test_a_service_that_is_not_there_fails():
    """Its reason is the system's."""
    with reserved_port() as port, pytest.raises(OSError, match="refused"):
        http(f"http://127.0.0.1:{port}/")()


@pytest.fixture
def silent():
    """A server that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_service_that_keeps_silent_is_given_up(silent):
    """After the time that it has."""
    with pytest.raises(TimeoutError):
        http(silent, timeout=0.01)()


def test_a_service_that_never_ends_its_answer_holds_up_no_one(registry):
    """Each byte comes in time, and the whole never does: the check is late, and the others run."""
    ended = threading.Event()

    def answer(handler):
        while not ended.wait(0.001):
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    with answering(answer) as url:
        drips = check("drips", http(url), timeout=0.01, registry=registry)
        well = check("well", lambda: None, interval=0.01, registry=registry)
        checks = Checks.on(registry)
        checks.start()
        try:
            until(lambda: (drips.problem or "").startswith("has run for"))
            until(lambda: well.result)
        finally:
            checks.stop()
            ended.set()
        until(lambda: drips.result)


def test_a_receiver_of_spans_is_reached_and_told_nothing(silent):
    """It has to listen, no more; the host of the setting is taken as it is."""
    assert otlp(silent)() == Finding()
    assert otlp(f"{silent}/v1/traces")() == Finding()
    with reserved_port() as port, pytest.raises(ConnectionRefusedError):
        otlp(f"http://127.0.0.1:{port}")()


def test_a_port_may_be_left_out(monkeypatch):
    """It is the scheme's."""
    asked = []

    def connect(address, timeout):
        asked.append((address, timeout))
        return closing(socket.socket())

    monkeypatch.setattr(socket, "create_connection", connect)
    otlp("http://collector")()
    otlp("https://[::1]/otlp", timeout=DEADLINE)()
    assert asked == [(("collector", 80), 5.0), (("::1", 443), DEADLINE)]


@pytest.mark.parametrize("make", [http, otlp])
@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8080", "file:///etc/passwd", "http://", "http://host:port", "http://[::1"]
)
def test_what_is_no_url_is_refused(make, url):
    """Files least of all."""
    with pytest.raises(BindingError) as raised:
        make(url)
    assert str(raised.value) == f"{url!r} is no URL to check; pass one such as http://127.0.0.1:8080/livez"


def test_a_password_is_neither_sent_nor_shown():
    """It would come up in an error of the library's."""
    with pytest.raises(BindingError) as raised:
        http("http://me:hunter2@127.0.0.1/")
    assert str(raised.value) == (
        "the check of http://***@127.0.0.1/ would send no password; write a function that does"
    )
