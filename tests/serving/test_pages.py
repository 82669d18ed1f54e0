"""What is answered to a request, whichever front end it came through."""

import gzip
import io
import platform
from html.parser import HTMLParser
from http import HTTPStatus
from importlib.metadata import version
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from prometheus_client import CollectorRegistry, Gauge

from manometer.serving.asgi import asgi_app
from manometer.serving.pages import Request, Response, Site, respond
from manometer.serving.slots import Slots
from manometer.serving.wsgi import wsgi_app


@pytest.fixture
def registry():
    """A registry with one gauge."""
    registry = CollectorRegistry()
    Gauge("depth", "Depth.", registry=registry).set(3)
    Gauge("width", "Width.", registry=registry).set(4)
    return registry


@pytest.fixture
def site(registry):
    """A site with that registry and no checks."""
    return Site(registry, service="orders & more")


TEXT = b"# HELP depth Depth.\n# TYPE depth gauge\ndepth 3.0\n# HELP width Width.\n# TYPE width gauge\nwidth 4.0\n"


def _ask(site, path, query="", method="GET", **headers):
    return respond(
        site, Request(method, path, query, {name.replace("_", "-"): text for name, text in headers.items()})
    )


def test_metrics_are_the_registry_s_figures(site):
    """The literal text of two gauges."""
    assert _ask(site, "/metrics") == Response(
        HTTPStatus.OK,
        (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), ("Vary", "Accept, Accept-Encoding")),
        TEXT,
    )


def test_metrics_are_negotiated(site):
    """Accept chooses OpenMetrics."""
    response = _ask(site, "/metrics", accept="application/openmetrics-text")
    assert dict(response.headers)["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert response.body == TEXT + b"# EOF\n"


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, deflate", True),
        ("gzip ; q=0.001", True),
        ("deflate, gzip;q=1.0", True),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("gzip;q=0.000", False),
        ("gzip;Q=0", False),
        ("xgzip", False),
        ("identity", False),
    ],
)
def test_metrics_are_compressed_where_the_client_takes_that(site, accepted, zipped):
    """gzip where it is accepted, and never where it is refused."""
    response = _ask(site, "/metrics", accept_encoding=accepted)
    assert (dict(response.headers).get("Content-Encoding") == "gzip") is zipped
    assert (gzip.decompress(response.body) if zipped else response.body) == TEXT


def test_the_same_figures_are_the_same_bytes(site):
    """A compressed answer has no time of its own in it."""
    response = _ask(site, "/metrics", accept_encoding="gzip")
    assert response.headers[1:] == (("Vary", "Accept, Accept-Encoding"), ("Content-Encoding", "gzip"))
    assert response.body == gzip.compress(TEXT, compresslevel=1, mtime=0)


def test_metrics_can_be_filtered_by_name(site):
    """`name[]` keeps samples of those names, as Prometheus's own client has it."""
    assert _ask(site, "/metrics", "name[]=width").body == TEXT[TEXT.index(b"# HELP width") :]
    assert _ask(site, "/metrics", "name%5B%5D=depth&name[]=width").body == TEXT
    assert _ask(site, "/metrics", "name[]=nothing").body == b""


def test_more_names_than_anyone_needs_are_refused(site):
    """What one request may cost is bounded; the same name again is no other."""
    names = [f"name[]=junk{number}" for number in range(249)]
    assert _ask(site, "/metrics", "&".join([*names, *names, "name[]=width"])).body.startswith(b"# HELP width")
    response = _ask(site, "/metrics", "&".join([*names, "name[]=width", "name[]=depth"]))
    assert response.status == HTTPStatus.BAD_REQUEST
    assert response.body == b"251 names are too many; ask for at most 250 by name[], or for all figures\n"


def test_the_landing_page_links_the_others(site):
    """It is well-formed, names the service, and links every other page."""

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.links = []
            self.open = []

        def handle_starttag(self, tag, attrs):
            if tag == "a":
                self.links.append(dict(attrs)["href"])
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    response = _ask(site, "/")
    reader = Reader()
    reader.feed(response.body.decode())
    assert reader.links == ["metrics", "livez", "readyz", "startupz", "health"]
    assert not reader.open
    assert response == Response(
        HTTPStatus.OK,
        (("Content-Type", "text/html; charset=utf-8"),),
        f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>orders &amp; more</title></head>
<body>
<h1>orders &amp; more</h1>
<p>Measured by Manometer {version("manometer")} on Python {platform.python_version()}.</p>
<ul>
<li><a href="metrics">/metrics</a> the figures, for Prometheus</li>
<li><a href="livez">/livez</a> whether the program lives</li>
<li><a href="readyz">/readyz</a> whether it is ready for work; ?verbose lists its health checks</li>
<li><a href="startupz">/startupz</a> whether it has started</li>
<li><a href="health">/health</a> every health check, as health+json; ?group=ready those of a group</li>
</ul>
</body>
</html>
""".encode(),
    )


def test_an_unknown_path_says_which_there_are(site):
    """404 is a line that helps."""
    response = _ask(site, "/metric")
    told = b"nothing here; there are / /metrics /livez /readyz /startupz /health\n"
    assert (response.status, response.body) == (404, told)


@pytest.mark.parametrize("path", ["/", "/metrics", "/livez", "/readyz", "/startupz", "/health"])
def test_other_methods_are_refused(site, path):
    """405 names what is allowed; OPTIONS says the same without complaint."""
    allow = ("Allow", "GET, HEAD, OPTIONS")
    assert _ask(site, path, method="POST") == Response(
        HTTPStatus.METHOD_NOT_ALLOWED,
        (("Content-Type", "text/plain; charset=utf-8"), allow),
        b"use GET or HEAD\n",
    )
    assert _ask(site, path, method="OPTIONS") == Response(HTTPStatus.OK, (allow,), b"")


def test_a_fault_in_here_is_an_answer_and_a_log_line(registry, caplog):
    """500 tells the client; the log tells why."""

    def checks():
        raise RuntimeError("broken")

    response = _ask(Site(registry, checks), "/readyz")
    assert (response.status, response.body) == (500, b"the exporter failed; its log says why\n")
    assert [record.getMessage() for record in caplog.records] == ["/readyz could not be answered"]
    assert "RuntimeError: broken" in caplog.text


def _call_wsgi(site, **environ):
    environ = {"SCRIPT_NAME": "", "QUERY_STRING": "", **environ}
    setup_testing_defaults(environ)
    given = []

    def start_response(status, headers, exc_info=None):
        given.extend((status, dict(headers)))
        return io.BytesIO().write

    answer = validator(wsgi_app(site))(environ, start_response)
    body = b"".join(answer)
    answer.close()
    return given[0], given[1], body


def test_wsgi_serves_the_same_pages(site):
    """A valid WSGI application, by wsgiref's own validator."""
    status, headers, body = _call_wsgi(site, PATH_INFO="/metrics", QUERY_STRING="name[]=depth")
    assert (status, body) == ("200 OK", TEXT[: TEXT.index(b"# HELP width")])
    assert headers["Content-Length"] == str(len(body))
    status, headers, body = _call_wsgi(site, PATH_INFO="/metrics", HTTP_ACCEPT_ENCODING="gzip")
    assert gzip.decompress(body) == TEXT
    status, headers, body = _call_wsgi(site, PATH_INFO="/metrics", REQUEST_METHOD="HEAD")
    assert (status, headers["Content-Length"], body) == ("200 OK", str(len(TEXT)), b"")


def test_wsgi_mounted_at_metrics_answers_with_the_figures(site):
    """As prometheus-client's application does; mounted elsewhere, its root is the landing page."""
    assert _call_wsgi(site, SCRIPT_NAME="/metrics", PATH_INFO="")[2] == TEXT
    assert _call_wsgi(site, SCRIPT_NAME="/a/metrics", PATH_INFO="/")[2] == TEXT
    assert _call_wsgi(site, SCRIPT_NAME="/metrics/", PATH_INFO="")[2] == TEXT
    assert _call_wsgi(site, SCRIPT_NAME="/observe", PATH_INFO="/metrics")[2] == TEXT
    for mount, path in (("/observe", "/"), ("/observe", ""), ("/metricsX", "/")):
        assert b"<h1>" in _call_wsgi(site, SCRIPT_NAME=mount, PATH_INFO=path)[2]


@pytest.mark.parametrize("environ", [{"SCRIPT_NAME": "/metrics"}, {"PATH_INFO": "/metrics"}])
def test_wsgi_servers_may_leave_out_what_is_empty(site, environ):
    """The specification allows for a missing SCRIPT_NAME, PATH_INFO and QUERY_STRING."""
    statuses = []
    body = wsgi_app(site)({"REQUEST_METHOD": "GET", **environ}, lambda status, _: statuses.append(status))
    assert (statuses, list(body)) == (["200 OK"], [TEXT])


async def _call_asgi(site, **scope):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    given = {"type": "http", "method": "GET", "query_string": b"", "headers": [], **scope}
    await asgi_app(site)(given, receive, send)
    return sent


async def test_asgi_serves_the_same_pages(site):
    """One start and one body message, header names in lower case."""
    start, body = await _call_asgi(site, path="/metrics", headers=[(b"accept-encoding", b"gzip")])
    headers = dict(start["headers"])
    assert (start["status"], headers[b"content-encoding"]) == (200, b"gzip")
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert gzip.decompress(body["body"]) == TEXT


@pytest.mark.parametrize(("method", "body"), [("GET", TEXT), ("HEAD", b"")])
async def test_asgi_messages_are_those_of_the_specification(site, method, body):
    """Literally; the answer to HEAD has the headers of the answer to GET."""
    assert await _call_asgi(site, path="/metrics", method=method) == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),
                (b"vary", b"Accept, Accept-Encoding"),
                (b"content-length", str(len(TEXT)).encode()),
            ],
        },
        {"type": "http.response.body", "body": body},
    ]


async def test_asgi_reads_the_query(site):
    """As the server itself does."""
    body = (await _call_asgi(site, path="/metrics", query_string=b"name[]=width"))[1]["body"]
    assert body == TEXT[TEXT.index(b"# HELP width") :]


async def test_asgi_mounted_at_metrics_answers_with_the_figures(site):
    """Whether the framework leaves the mount point in the path, as the specification now has it, or not."""
    assert (await _call_asgi(site, path="/metrics/", root_path="/metrics"))[1]["body"] == TEXT
    assert (await _call_asgi(site, path="/", root_path="/metrics"))[1]["body"] == TEXT
    assert (await _call_asgi(site, path="/observe/metrics", root_path="/observe"))[1]["body"] == TEXT


async def test_asgi_takes_part_in_the_lifespan(site):
    """So that it runs on its own under a server that insists on it."""
    events = iter(["lifespan.startup", "lifespan.shutdown"])
    sent = []

    async def receive():
        return {"type": next(events)}

    async def send(message):
        sent.append(message["type"])

    await asgi_app(site)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_asgi_refuses_what_is_no_http(site):
    """A websocket has come to the wrong route."""
    with pytest.raises(ValueError, match="the exporter speaks HTTP, not websocket"):
        await _call_asgi(site, type="websocket", path="/")


def test_the_figures_may_be_elsewhere(registry):
    """By the setting telemetry_path: the usual path is none then, and the pages name the other one."""
    site = Site(registry, figures="/internal/<figures>")
    assert _ask(site, "/internal/<figures>").body == TEXT
    assert _ask(site, "/metrics")[::2] == (
        HTTPStatus.NOT_FOUND,
        b"nothing here; there are / /internal/<figures> /livez /readyz /startupz /health\n",
    )
    assert b'<a href="internal/&lt;figures&gt;">/internal/&lt;figures&gt;</a> the figures' in _ask(site, "/").body


def test_the_figures_may_be_in_the_place_of_the_landing_page(registry):
    """As node_exporter has it."""
    site = Site(registry, figures="/")
    assert _ask(site, "/").body == TEXT
    assert _ask(site, "/metric").body == b"nothing here; there are / /livez /readyz /startupz /health\n"
    assert _ask(site, "/livez").status == HTTPStatus.OK


def test_so_many_scrapes_are_answered_at_once_as_are_allowed(registry):
    """By the setting max_requests."""
    site = Site(registry, scrapes=Slots(1))
    assert site.scrapes.take()
    assert _ask(site, "/metrics")[::2] == (
        HTTPStatus.SERVICE_UNAVAILABLE,
        b"no more than 1 scrapes are answered at once; try again later\n",
    )
    site.scrapes.give_back()
    assert _ask(site, "/metrics").status == HTTPStatus.OK
