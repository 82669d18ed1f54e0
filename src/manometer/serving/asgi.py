"""The pages of the exporter as an ASGI application, for a program that has a web server of its own."""

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from manometer.serving.messages import Request, Response, text
from manometer.serving.pages import mounted, respond, too_many
from manometer.serving.site import Site
from manometer.serving.slots import ForEachProcess, Slots

__all__ = ["AsgiApp", "asgi_app"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]


def asgi_app(site: Site, at_end: Callable[[], object] = lambda: None) -> AsgiApp:
    """The pages as an ASGI application; mounted at `/metrics`, it answers with the figures there.

    Figures are collected and written in threads of the application's own: neither the event loop nor what the
    program runs by `to_thread` waits for a scrape.
    at_end: what is to be done when the server says that it ends; some then leave without any other sign.
    """
    import asyncio  # here, because it takes as long to import as the rest of the exporter
    from concurrent.futures import Future, ThreadPoolExecutor

    at_once = site.scrapes.limit
    threads = ForEachProcess(lambda: ThreadPoolExecutor(at_once, "manometer-asgi"))
    queued = Slots(at_once)  # none waits for a thread: the time of a scrape begins when it has one

    def begun(request: Request) -> Future[Response]:
        """A scrape in a thread, which has its slot until it ends: a client that goes away does not end it."""
        try:
            answer = threads.own.submit(respond, site, request)
        except RuntimeError as error:  # there is no thread to be had
            queued.give_back()
            site.lacked("thread", error)
            answer = Future()
            answer.set_result(text(HTTPStatus.SERVICE_UNAVAILABLE, "no thread can be started; try again later\n"))
        else:
            answer.add_done_callback(lambda _: queued.give_back())
        return answer

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send, at_end)
            return
        if scope["type"] != "http":
            raise ValueError(f"the exporter speaks HTTP, not {scope['type']}; mount it on an HTTP route")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        root = scope.get("root_path", "")
        path = mounted(site, root, scope["path"].removeprefix(root))
        peer = (scope.get("client") or ("",))[0]
        request = Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, peer)
        if path != site.figures:
            response = respond(site, request)
        elif not queued.take():
            response = too_many(site)
        else:
            response = await asyncio.wrap_future(begun(request))
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


async def _lifespan(receive: Receive, send: Send, at_end: Callable[[], object]) -> None:
    import asyncio

    while True:
        event = (await receive())["type"]
        ends = event == "lifespan.shutdown"
        if ends:
            await asyncio.to_thread(at_end)
        await send({"type": f"{event}.complete"})
        if ends:
            return
