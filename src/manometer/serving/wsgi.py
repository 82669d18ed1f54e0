"""The pages of the exporter as a WSGI application, for a program that has a web server of its own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from manometer.serving.messages import Request
from manometer.serving.pages import mounted, respond
from manometer.serving.site import Site

__all__ = ["WsgiApp", "wsgi_app"]

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
WsgiApp = Callable[[Mapping[str, Any], StartResponse], Iterable[bytes]]


def wsgi_app(site: Site) -> WsgiApp:
    """The pages as a WSGI application; mounted at `/metrics`, it answers with the figures there."""

    def application(environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        path = mounted(site, environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", ""))
        peer = environ.get("REMOTE_ADDR", "")
        request = Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, peer)
        response = respond(site, request)
        start_response(
            f"{response.status.value} {response.status.phrase}",
            [*response.headers, ("Content-Length", str(len(response.body)))],
        )
        return [] if request.method == "HEAD" else [response.body]

    return application
