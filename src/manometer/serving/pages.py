"""The pages of the exporter: what is answered to a request."""

import gzip
import logging
import platform
from collections.abc import Callable, Mapping
from html import escape
from http import HTTPStatus
from math import inf
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry

from manometer.errors import IncompleteError
from manometer.exposition.accept import media_ranges
from manometer.exposition.render import rendered
from manometer.meters.fork import notice
from manometer.redaction import SHOWN, brief
from manometer.registry.found import Found
from manometer.registry.limits import Limits
from manometer.registry.timely import collect_in_time
from manometer.serving import health_pages
from manometer.serving.messages import Request, Response, text
from manometer.serving.site import Site
from manometer.version import __version__

__all__ = ["Request", "Response", "Site", "misdirected", "mounted", "respond", "too_many"]

_FIGURES = "/metrics"
_METHODS = ("GET", "HEAD", "OPTIONS")
_NAMES_AT_MOST = 250  # of samples, that a scraper may ask for in place of all
_ON_THE_WAY = 0.5  # seconds of a scraper's time-out that are left for the way to it
_LEAST = 1.0  # seconds for a collection, whatever the scraper says: less would only cost others their collectors
_MOST = 120.0  # and at most: one who waits longer would have the others wait too

_log = logging.getLogger("manometer")


def respond(site: Site, request: Request) -> Response:
    """Answer a request; a fault in here is logged and answered with 500, figures that are not complete with 503."""
    notice()
    page = _page(site, request.path)
    if page is None:
        return text(HTTPStatus.NOT_FOUND, f"nothing here; there are {' '.join(_paths(site).values())}\n")
    allow = ("Allow", ", ".join(_METHODS))
    if request.method == "OPTIONS":
        return Response(HTTPStatus.OK, (allow,), b"")
    if request.method not in _METHODS:
        return text(HTTPStatus.METHOD_NOT_ALLOWED, "use GET or HEAD\n", allow)
    try:
        return _PAGES[page](site, request)
    except IncompleteError as error:
        return text(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}\n")
    except Exception:
        _log.exception("%s could not be answered", request.path)
        return text(HTTPStatus.INTERNAL_SERVER_ERROR, "the exporter failed; its log says why\n")


def _page(site: Site, path: str) -> str | None:
    """The page at the path, by its usual path; None where there is none."""
    if path == site.figures:
        return _FIGURES
    return path if path in _PAGES and path != _FIGURES else None


def _paths(site: Site) -> dict[str, str]:
    """Where each page is, by its usual path."""
    found = {page: site.figures if page == _FIGURES else page for page in _PAGES}
    return {page: path for page, path in found.items() if _page(site, path) == page}


def misdirected(host: str) -> Response:
    """The answer to a request for another host than this."""
    told = (
        f"this exporter is for its own machine, and no name of it is {brief(host[:SHOWN])!r}; "
        "where a proxy asks so, name it by MANOMETER_ALLOWED_HOSTS\n"
    )
    return text(HTTPStatus.MISDIRECTED_REQUEST, told)


def too_many(site: Site) -> Response:
    """The answer to a scrape where as many as may be are under way."""
    site.lacked("scrape")
    told = f"no more than {site.scrapes.limit} scrapes are answered at once; try again later\n"
    return text(HTTPStatus.SERVICE_UNAVAILABLE, told)


def mounted(site: Site, root: str, path: str) -> str:
    """The page asked for: where the application is mounted at a page's own path, that page.

    root: where it is mounted; path: the rest of the path that was asked for.
    """
    last = "/" + root.rstrip("/").rpartition("/")[2]
    return last if path in ("", "/") and _page(site, last) is not None else path or "/"


def _landing(site: Site, _: Request) -> Response:
    where = [(_paths(site)[page], meaning) for page, meaning in _MEANINGS.items()]
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
        return text(HTTPStatus.BAD_REQUEST, told)
    if not site.scrapes.take():
        return too_many(site)
    try:
        return _figures(site, request, names)
    finally:
        site.scrapes.give_back()


def _figures(site: Site, request: Request, names: frozenset[str]) -> Response:
    found = collect_in_time(site.registry, names, _limits(site.patience, request.headers))
    accept = request.headers.get("accept", "")
    is_zipped = _takes_gzip(request.headers.get("accept-encoding", ""))
    return found.once((accept, names, is_zipped), lambda: _written(site.registry, found, accept, names, is_zipped))


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


def _limits(patience: float, headers: Mapping[str, str]) -> Limits:
    """How long a collection may take, where the scraper says how long it waits itself."""
    try:
        seconds = float(headers.get("x-prometheus-scrape-timeout-seconds", ""))
    except ValueError:
        return Limits(patience, rests=True)
    if not 0 < seconds < inf:
        return Limits(patience, rests=True)
    seconds = min(max(seconds - _ON_THE_WAY, _LEAST), _MOST)
    return Limits(min(patience, seconds), seconds, rests=True)


_PAGES: Mapping[str, Callable[[Site, Request], Response]] = {
    "/": _landing,
    _FIGURES: _metrics,
    "/livez": health_pages.live,
    "/readyz": health_pages.ready,
    "/startupz": health_pages.started,
    "/health": health_pages.health,
}
_MEANINGS = {
    "/metrics": "the figures, for Prometheus",
    "/livez": "whether the program lives",
    "/readyz": "whether it is ready for work; ?verbose lists its health checks",
    "/startupz": "whether it has started",
    "/health": "every health check, as health+json; ?group=ready those of a group",
}


def _takes_gzip(accept_encoding: str) -> bool:
    return any(coding.type == "gzip" for coding in media_ranges(accept_encoding))
