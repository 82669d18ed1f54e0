"""A scrape is read whatever the format, and an address is completed."""

import base64
import socket
import threading
from contextlib import closing, suppress
from urllib.parse import urlsplit

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from answering import answering
from certificates import Authority
from manometer.cli import request
from manometer.cli.request import TargetError, WrongTargetError
from manometer.cli.top.scrape import fetch, metrics_url, parse
from manometer.errors import ConfigError
from manometer.serving.pages import Site
from manometer.serving.server import Server
from waiting import DEADLINE, joined


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://127.0.0.1:9464", "http://127.0.0.1:9464/metrics"),
        ("http://127.0.0.1:9464/", "http://127.0.0.1:9464/metrics"),
        ("127.0.0.1:9464", "http://127.0.0.1:9464/metrics"),
        ("localhost", "http://localhost/metrics"),
        ("https://[::1]:1/own/path?x=1#y", "https://[::1]:1/own/path?x=1"),
        ("localhost/X", "http://localhost/X"),
        ("alice:a%40b@localhost:1", "http://alice:a%40b@localhost:1/metrics"),
        ("http://alice:a 'b'@localhost", "http://alice:a%20%27b%27@localhost/metrics"),
    ],
)
def test_an_address_is_completed(address, url):
    """Scheme and path may be left out."""
    assert metrics_url(address) == url


@pytest.mark.parametrize("address", ["", "ftp://x", "file:///etc/passwd", "http://", "http://x:port", "http://[::1"])
def test_what_is_no_address_is_refused(address):
    """With what one looks like."""
    with pytest.raises(ConfigError, match=r"is no address of a program; write it as http://127\.0\.0\.1:9464"):
        metrics_url(address)


@pytest.mark.parametrize(
    "address", ["http://alice:hush@x:port", "alice:hush@x:port", "ftp://al:hush@x", "http://al:a 'hush\"@x:port"]
)
def test_a_wrong_address_is_told_without_its_password(address):
    """Whatever characters the password has."""
    with pytest.raises(ConfigError, match=r"\*\*\*@x.* is no address of a program") as told:
        metrics_url(address)
    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("alice:hush", b"alice:hush"),
        ("alice:a%40%3Ab", b"alice:a@:b"),
        ("alice", b"alice:"),
        ("a:\udcff ü", b"a:\xff \xc3\xbc"),
    ],
)
def test_user_and_password_of_the_url_are_sent(user, sent):
    """As basic authentication has it, to that host alone: a redirection goes on without them."""
    asked, page = [], _page(body=b"a 1\n")

    def answer(request):
        asked.append((request.path, request.headers["Host"], request.headers["Authorization"]))
        if request.path == "/metrics":
            request.send_response(302)
            request.send_header("Location", "/elsewhere")
            request.end_headers()
        else:
            page(request)

    with answering(answer) as url:
        host = url.partition("//")[2].rstrip("/")
        assert fetch(metrics_url(f"http://{user}@{host}")).samples["a"] == {frozenset(): 1.0}
    assert asked == [
        ("/metrics", host, f"Basic {base64.b64encode(sent).decode()}"),
        ("/elsewhere", host, None),
    ]


def test_a_program_with_tls_and_users_is_scraped(figures, tmp_path, monkeypatch):
    """The certificate's authority is named by OpenSSL's variable; without it, waiting would not help."""
    authority = Authority()
    authority.write(tmp_path, "server", "localhost")
    hashed = bcrypt.hashpw(b"hush", bcrypt.gensalt(4)).decode()
    tls = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
    (tmp_path / "web.yml").write_text(f"{tls}basic_auth_users: {{alice: {hashed}}}\n")
    Counter("c", "C.", registry=figures.registry).inc()
    web = str(tmp_path / "web.yml")
    server = Server(Site(figures.registry), "127.0.0.1", 0, web_config_file=web).start()
    place = f"localhost:{urlsplit(server.url).port}/metrics"
    with closing(server):
        with pytest.raises(WrongTargetError, match=r"^its certificate does not pass \(.*\); SSL_CERT_FILE names"):
            fetch(f"https://alice:hush@{place}")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
        assert fetch(f"https://alice:hush@{place}").samples["c_total"] == {frozenset(): 1.0}
        with pytest.raises(WrongTargetError, match="it answered 401 Unauthorized"):
            fetch(f"https://alice:guess@{place}")


def test_both_formats_read_alike():
    """The text and the OpenMetrics form of one registry give the same samples."""
    registry = CollectorRegistry()
    Counter("c", "C.", ["a"], registry=registry).labels("x").inc(3)
    Histogram("h", "H.", registry=registry).observe(0.2, {"trace_id": "ab"})
    text = parse(generate_latest(registry).decode(), at=1.0)
    open_ = parse(generate_openmetrics(registry).decode(), "application/openmetrics-text", at=1.0)
    assert text.samples["c_total"] == open_.samples["c_total"] == {frozenset({("a", "x")}): 3.0}
    assert text.samples["h_bucket"] == open_.samples["h_bucket"]


def test_a_program_is_scraped(figures):
    """Over a socket, with the time of it."""
    Counter("c", "C.", registry=figures.registry).inc()
    server = Server(Site(figures.registry), "127.0.0.1", 0).start()
    try:
        assert fetch(f"{server.url}/metrics").samples["c_total"] == {frozenset(): 1.0}
        with pytest.raises(WrongTargetError, match="it answered 404 Not Found"):
            fetch(f"{server.url}/nothing")
        with pytest.raises(WrongTargetError, match="its answer is not in Prometheus's format"):
            fetch(server.url)
        url = server.url
    finally:
        server.close()
    with pytest.raises(TargetError, match="connection refused"):
        fetch(url)


def test_figures_are_asked_for_in_the_text_format_and_taken_in_either(monkeypatch):
    """From the target itself, whatever proxy there is."""
    asked, registry = [], CollectorRegistry()
    Histogram("h", "H.", registry=registry).observe(0.2, {"trace_id": "ab"})
    page = _page(body=generate_openmetrics(registry), kind="application/openmetrics-text; version=1.0.0")

    def answer(request):
        asked.append(request.headers["Accept"])
        page(request)

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name)
    with answering(answer) as url:
        assert fetch(url).samples["h_count"] == {frozenset(): 1.0}
    assert asked == ["text/plain;version=0.0.4"]


def _page(status=200, body=b"", kind="text/plain"):
    def answer(request):
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (_page(500), TargetError, "it answered 500 Internal Server Error"),
        (_page(503), TargetError, "it answered 503 Service Unavailable"),
        (_page(401), WrongTargetError, "it answered 401 Unauthorized"),
        (_page(404), WrongTargetError, "it answered 404 Not Found"),
        (_page(body=b"<!doctype html>\n<p>Hello", kind="text/html"), WrongTargetError, "not in Prometheus's format"),
        (_page(body=b'{"status": "up"}'), WrongTargetError, "not in Prometheus's format"),
        (_page(body=b"a 1\n", kind="application/openmetrics-text"), WrongTargetError, "not in Prometheus's format"),
        (_page(body=b"ok"), WrongTargetError, "not in Prometheus's format"),
        (_page(body=b"a 1\n\xff 2\n"), WrongTargetError, "not in Prometheus's format"),
        (lambda request: request.wfile.write(b"SSH-2.0-OpenSSH\r\n"), TargetError, "ssh-2.0"),
        (lambda request: None, TargetError, "closed"),
    ],
)
def test_what_is_no_page_of_figures_is_told(answer, error, reason):
    """What waiting can mend, and what it cannot."""
    with answering(answer) as url, pytest.raises(TargetError, match=reason) as told:
        fetch(url)
    assert told.type is error


def test_a_page_without_end_is_left(monkeypatch):
    """After so many bytes it is no page of figures."""
    monkeypatch.setattr(request, "LARGEST", 100_000)

    def endless(request):
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"a 1\n" * 10_000)
        except OSError:
            pass

    with answering(endless) as url, pytest.raises(WrongTargetError, match=r"its answer is longer than 0\.1 MB"):
        fetch(url)


def _scraping():
    """The threads that scrape, or look a name up."""
    return [each for each in threading.enumerate() if each.name == "manometer-request"]


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nX: "])
def test_a_target_that_sends_a_byte_now_and_then_is_given_up(head):
    """The time-out is for the answer as a whole, its head included."""
    enough = threading.Event()

    def dripping(request):
        request.wfile.write(head)
        while not enough.wait(0.01):
            request.wfile.write(b"#")

    with answering(dripping) as url:
        with pytest.raises(TargetError, match=r"it did not answer in 0\.5 s"):
            fetch(url, 0.5)
        enough.set()
        joined(*_scraping())


def test_a_target_that_never_answers_is_given_up():
    """It takes the connection and says nothing. Nothing goes on waiting for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/metrics"
        with pytest.raises(TargetError, match=r"it did not answer in 0\.5 s") as told:
            fetch(url, 0.5)
        joined(*_scraping())
    assert told.type is TargetError


@pytest.mark.parametrize(
    ("host", "reason"),
    [("nowhere", "name or service not known"), ("a..b", "it is no name"), ("x" * 64, "it is no name")],
)
def test_a_host_that_is_not_known_is_told_by_name(host, reason, monkeypatch):
    """Waiting would not make it known."""
    look_up = socket.getaddrinfo

    def none(name, port):
        if name == "nowhere":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(name, port)

    monkeypatch.setattr(request.socket, "getaddrinfo", none)
    with pytest.raises(WrongTargetError, match=f"^there is no host '{host}': {reason}$"):
        fetch(f"http://{host}:9464/metrics")


def test_a_name_that_nobody_answers_for_is_given_up(monkeypatch):
    """A look-up may take longer than anybody waits. It does not keep the program from ending."""
    enough = threading.Event()
    monkeypatch.setattr(request.socket, "getaddrinfo", lambda *_: enough.wait(DEADLINE))
    with pytest.raises(WrongTargetError, match=r"the name slow\.invalid could not be looked up in 0\.05 s"):
        fetch("http://slow.invalid/metrics", 0.05)
    [looking] = _scraping()
    assert looking.daemon
    enough.set()
    joined(looking)


@given(st.text(alphabet='ab_{}="\\,# \n1.eTYPHLcountrgu+-Inf\x00é'))
def test_whatever_text_comes_is_read_or_refused(text):
    """With the one error, whoever raises what."""
    for kind in ("text/plain", "application/openmetrics-text"):
        with suppress(ValueError):
            parse(text, kind, at=0.0)
