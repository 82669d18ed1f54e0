"""The pages of the exporter: what is answered to a request, and the WSGI and ASGI front ends of it."""

import gzip
import logging
import platform
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from ipaddress import ip_address
from math import inf
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import IncompleteError
from manometer.exposition.accept import media_ranges
from manometer.exposition.render import rendered
from manometer.meters.fork import notice
from manometer.redaction import SHOWN, brief
from manometer.registry.limits import PATIENCE, Limits
from manometer.registry.rounds import Found
from manometer.registry.self_metrics import SelfMetrics
from manometer.registry.timely import collect_in_time
from manometer.serving.slots import ForEachProcess, Slots
from manometer.version import __version__

__all__ = [
    "AsgiApp",
    "Check",
    "Request",
    "Response",
    "Site",
    "WsgiApp",
    "asgi_app",
    "misdirected",
    "respond",
    "wsgi_app",
]

_FIGURES = "/metrics"
_METHODS = ("GET", "HEAD", "OPTIONS")
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
_TEXT = "text/plain; charset=utf-8"
_NAMES_AT_MOST = 250  # of samples, that a scraper may ask for in place of all
SCRAPES = 12
"""Scrapes that are answered at once; fewer than there are connections, so that probes are answered in any case."""
_ON_THE_WAY = 0.5  # seconds of a scraper's time-out that are left for the way to it
_LEAST = 1.0  # seconds for a collection, whatever the scraper says: less would only cost others their collectors

_log = logging.getLogger("manometer")


class Check(Protocol):
    """What `/readyz` needs to know of a health check."""

    @property
    def name(self) -> str: ...
    @property
    def critical(self) -> bool: ...
    @property
    def problem(self) -> str | None:
        """Why the check is not well, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages show: a registry's figures, the checks that say whether the program is ready, its name.

    own: the program's own registry, where `registry` shows the figures of a whole group; patience: seconds that a
    collector may take; scrapes: how many are answered at once; figures: the path of the figures.
    """

    registry: CollectorRegistry = REGISTRY
    checks: Callable[[], Sequence[Check]] = tuple
    service: str = "python"
    own: CollectorRegistry | None = None
    patience: float = PATIENCE
    scrapes: Slots = field(default_factory=lambda: Slots(SCRAPES))
    figures: str = _FIGURES

    def page(self, path: str) -> str | None:
        """The page at the path, by its usual path; None where there is none."""
        if path == self.figures:
            return _FIGURES
        return path if path in _PAGES and path != _FIGURES else None

    @property
    def paths(self) -> dict[str, str]:
        """Where each page is, by its usual path."""
        found = {page: self.figures if page == _FIGURES else page for page in _PAGES}
        return {page: path for page, path in found.items() if self.page(path) == page}

    def refused(self, reason: str) -> None:
        """Count that the server refused a connection or a request for such a reason."""
        SelfMetrics.of(self._counting).server_refusals.labels(reason).inc()

    def reconfigured(self, outcome: str) -> None:
        """Count that the web configuration was read again, `ok` or `error`."""
        SelfMetrics.of(self._counting).server_config_reloads.labels(outcome).inc()

    def lacked(self, resource: str, error: BaseException | None = None) -> None:
        """Count that the server lacked such a thing; see SelfMetrics.lacked."""
        SelfMetrics.of(self._counting).lacked(resource, error)

    def had(self, *resources: str) -> None:
        """The server had these things."""
        self_metrics = SelfMetrics.existing(self._counting)
        if self_metrics is not None:
            self_metrics.had(*resources)

    @property
    def _counting(self) -> CollectorRegistry:
        return self.registry if self.own is None else self.own


class Request(NamedTuple):
    """As much of an HTTP request as an answer depends on; header names are in lower case.

    peer: the address of whoever asks, None where it is the program itself.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    peer: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it comes from this machine, and not by way of a proxy, which would say so."""
        if any(name in self.headers for name in _OF_PROXIES):
            return False
        if self.peer is None:
            return True
        try:
            peer = ip_address(self.peer)
        except ValueError:
            return False
        return (getattr(peer, "ipv4_mapped", None) or peer).is_loopback


class Response(NamedTuple):
    """An HTTP response; `Content-Length` is the front end's to add."""

    status: HTTPStatus
    headers: tuple[tuple[str, str], ...]
    body: bytes


def respond(site: Site, request: Request) -> Response:
    """Answer a request; a fault in here is logged and answered with 500, figures that are not complete with 503."""
    notice()
    page = site.page(request.path)
    if page is None:
        return _text(HTTPStatus.NOT_FOUND, f"nothing here; there are {' '.join(site.paths.values())}\n")
    allow = ("Allow", ", ".join(_METHODS))
    if request.method == "OPTIONS":
        return Response(HTTPStatus.OK, (allow,), b"")
    if request.method not in _METHODS:
        return _text(HTTPStatus.METHOD_NOT_ALLOWED, "use GET or HEAD\n", allow)
    try:
        return _PAGES[page](site, request)
    except IncompleteError as error:
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}\n")
    except Exception:
        _log.exception("%s could not be answered", request.path)
        return _text(HTTPStatus.INTERNAL_SERVER_ERROR, "the exporter failed; its log says why\n")


def misdirected(host: str) -> Response:
    """The answer to a request for another host than this."""
    told = (
        f"this exporter is for its own machine, and no name of it is {brief(host[:SHOWN])!r}; "
        "where a proxy asks so, name it by MANOMETER_ALLOWED_HOSTS\n"
    )
    return _text(HTTPStatus.MISDIRECTED_REQUEST, told)


def _landing(site: Site, _: Request) -> Response:
    where = [(site.paths[page], meaning) for page, meaning in _MEANINGS.items()]
    links = "\n".join(f'<li><a href="{escape(at[1:])}">{escape(at)}</a> {meaning}</li>' for at, meaning in where)
    service = escape(site.service)
    body = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{service}</title></head>
<body>
<h1>{service}</h1>
<p>Measured by Manometer {__version__} on Python {platform.python_version()}.</p>
<ul>
{links}
</ul>
</body>
</html>
"""
    return Response(HTTPStatus.OK, (("Content-Type", "text/html; charset=utf-8"),), body.encode())


def _metrics(site: Site, request: Request) -> Response:
    names = frozenset(parse_qs(request.query).get("name[]", ()))
    if len(names) > _NAMES_AT_MOST:
        told = f"{len(names):,} names are too many; ask for at most {_NAMES_AT_MOST} by name[], or for all figures\n"
        return _text(HTTPStatus.BAD_REQUEST, told)
    if not site.scrapes.take():
        return _too_many(site)
    try:
        return _figures(site, request, names)
    finally:
        site.scrapes.give_back()


def _figures(site: Site, request: Request, names: frozenset[str]) -> Response:
    found = collect_in_time(site.registry, names, _limits(site.patience, request.headers))
    accept = request.headers.get("accept", "")
    is_zipped = _takes_gzip(request.headers.get("accept-encoding", ""))
    return found.once((accept, is_zipped), lambda: _written(site.registry, found, accept, names, is_zipped))


def _written(
    registry: CollectorRegistry, found: Found, accept: str, names: frozenset[str], is_zipped: bool
) -> Response:
    body, content_type = rendered(registry, found, accept, names)
    headers = [("Content-Type", content_type), ("Vary", "Accept, Accept-Encoding")]
    if is_zipped:
        # Level 1 takes a fifth of the default's time and leaves these texts a few per cent larger.
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    return Response(HTTPStatus.OK, tuple(headers), body)


def _too_many(site: Site) -> Response:
    site.lacked("scrape")
    told = f"no more than {site.scrapes.limit} scrapes are answered at once; try again later\n"
    return _text(HTTPStatus.SERVICE_UNAVAILABLE, told)


def _limits(patience: float, headers: Mapping[str, str]) -> Limits:
    """How long a collection may take, where the scraper says how long it waits itself."""
    try:
        seconds = float(headers.get("x-prometheus-scrape-timeout-seconds", ""))
    except ValueError:
        return Limits(patience)
    if not 0 < seconds < inf:
        return Limits(patience)
    seconds = max(seconds - _ON_THE_WAY, _LEAST)
    return Limits(min(patience, seconds), seconds)


def _livez(_site: Site, _: Request) -> Response:
    return _text(HTTPStatus.OK, "ok\n")


def _readyz(site: Site, request: Request) -> Response:
    checks = site.checks()
    failed = [check for check in checks if check.critical and check.problem is not None]
    shown = checks if "verbose" in parse_qs(request.query, keep_blank_values=True) else failed
    lines = [_line(check, request.is_local) for check in shown] + ["not ready" if failed else "ready", ""]
    return _text(HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK, "\n".join(lines))


def _line(check: Check, with_reason: bool) -> str:
    kind = "critical" if check.critical else "not critical"
    problem = check.problem
    if problem is not None and not with_reason:
        problem = "fails; its log, or a request from its own machine, says why"
    return f"{check.name} ({kind}): {'ok' if problem is None else problem}"


_PAGES: Mapping[str, Callable[[Site, Request], Response]] = {
    "/": _landing,
    _FIGURES: _metrics,
    "/livez": _livez,
    "/readyz": _readyz,
}
_MEANINGS = {
    "/metrics": "the figures, for Prometheus",
    "/livez": "whether the program serves",
    "/readyz": "whether its critical health checks pass; ?verbose lists all",
}


def _text(status: HTTPStatus, body: str, *headers: tuple[str, str]) -> Response:
    return Response(status, (("Content-Type", _TEXT), *headers), body.encode(errors="backslashreplace"))


def _takes_gzip(accept_encoding: str) -> bool:
    return any(coding.type == "gzip" for coding in media_ranges(accept_encoding))


# --- front ends for a program's own web server

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
WsgiApp = Callable[[Mapping[str, Any], StartResponse], Iterable[bytes]]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]


def wsgi_app(site: Site) -> WsgiApp:
    """The pages as a WSGI application; mounted at `/metrics`, it answers with the figures there."""

    def application(environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        path = _mounted(site, environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", ""))
        peer = environ.get("REMOTE_ADDR", "")
        request = Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, peer)
        response = respond(site, request)
        start_response(
            f"{response.status.value} {response.status.phrase}",
            [*response.headers, ("Content-Length", str(len(response.body)))],
        )
        return [] if request.method == "HEAD" else [response.body]

    return application


def asgi_app(site: Site) -> AsgiApp:
    """The pages as an ASGI application; mounted at `/metrics`, it answers with the figures there.

    Figures are collected and written in threads of the application's own: neither the event loop nor what the
    program runs by `to_thread` waits for a scrape.
    """

    import asyncio  # here, because it takes as long to import as the rest of the exporter
    from concurrent.futures import ThreadPoolExecutor

    at_once = site.scrapes.limit
    threads = ForEachProcess(lambda: ThreadPoolExecutor(at_once, "manometer-asgi"))
    queued = Slots(at_once)  # none waits for a thread: the time of a scrape begins when it has one

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"the exporter speaks HTTP, not {scope['type']}; mount it on an HTTP route")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        root = scope.get("root_path", "")
        path = _mounted(site, root, scope["path"].removeprefix(root))
        peer = (scope.get("client") or ("",))[0]
        request = Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, peer)
        if path != site.figures:
            response = respond(site, request)
        elif not queued.take():
            response = _too_many(site)
        else:
            try:
                response = await asyncio.get_running_loop().run_in_executor(threads.own, respond, site, request)
            finally:
                queued.give_back()
        sent = [*response.headers, ("Content-Length", str(len(response.body)))]
        await send(
            {
                "type": "http.response.start",
                "status": response.status.value,
                "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent],
            }
        )
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else response.body})

    return application


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


def _mounted(site: Site, root: str, path: str) -> str:
    """The page asked for: where the application is mounted at a page's own path, that page."""
    last = "/" + root.rstrip("/").rpartition("/")[2]
    return last if path in ("", "/") and site.page(last) is not None else path or "/"
