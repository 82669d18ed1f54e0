"""traced_wsgi and traced_asgi: web applications each of whose requests goes on in the trace of its caller."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter

from manometer.tracing.propagation import continued, within

__all__ = ["traced_asgi", "traced_wsgi"]

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def traced_wsgi(app: Wsgi) -> Wsgi:
    """The WSGI application, with the stages of each request in the trace that the request's headers tell of.

    It begins no span of its own: a stage within does, with `kind="server"` where it is the whole request.
    """

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        context = continued(environ, _ENVIRON)
        if context is None:
            return app(environ, start_response)
        with within(context):
            body = app(environ, start_response)
        is_whole = isinstance(body, list | tuple | environ.get("wsgi.file_wrapper", tuple))
        return body if is_whole else _Body(body, context)

    return call


def traced_asgi(app: Asgi) -> Asgi:
    """The same for an ASGI application: its requests over HTTP, and its web sockets."""

    async def call(scope: Any, receive: Any, send: Any) -> None:
        context = continued(scope["headers"], _PAIRS) if scope["type"] in ("http", "websocket") else None
        with within(context):
            await app(scope, receive, send)

    return call


class _Body:
    """The body of an answer, which is made while the server sends it."""

    def __init__(self, body: Iterable[bytes], context: Context) -> None:
        self._body, self._context = body, context
        self._parts: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with within(self._context):
            if self._parts is None:
                self._parts = iter(self._body)
            return next(self._parts)

    def close(self) -> None:
        """As WSGI has servers call it, whatever became of the request."""
        close = getattr(self._body, "close", None)
        if close is not None:
            with within(self._context):
                close()


class _Environ(Getter[Mapping[str, Any]]):
    def get(self, carrier: Mapping[str, Any], key: str) -> list[str] | None:
        found = carrier.get(f"HTTP_{key.upper().replace('-', '_')}")
        return None if found is None else [found]

    def keys(self, carrier: Mapping[str, Any]) -> list[str]:
        return [key[5:].lower().replace("_", "-") for key in carrier if key.startswith("HTTP_")]


class _Pairs(Getter[Iterable[tuple[bytes, bytes]]]):
    def get(self, carrier: Iterable[tuple[bytes, bytes]], key: str) -> list[str] | None:
        wanted = key.lower().encode()
        return [value.decode("latin-1") for name, value in carrier if name.lower() == wanted] or None

    def keys(self, carrier: Iterable[tuple[bytes, bytes]]) -> list[str]:
        return [name.decode("latin-1") for name, _ in carrier]


_ENVIRON, _PAIRS = _Environ(), _Pairs()
