"""The control endpoint: faults switched on and off over HTTP, from this machine alone.

GET    /faults                                every fault: on or off, its rate, what it does
PUT    /faults/slow-broker?rate=0.5&seconds=60   switch one on (POST does the same)
DELETE /faults/slow-broker                    switch it off
"""

import json
import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from alluse.errors import FaultError, SettingsError
from alluse.faults import FAULTS, Fault, Faults

__all__ = ["Control"]

_HOST = "127.0.0.1"  # and no other: who reaches this can end the process
_OWN_NAMES = ("127.0.0.1", "localhost")

_log = logging.getLogger("alluse")


class Control:
    """Serves the endpoint in a thread of its own, from `start()` to `close()`."""

    def __init__(self, faults: Faults, port: int) -> None:
        try:
            self._server = _Server((_HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise SettingsError(
                f"cannot serve the control endpoint on port {port}: {reason}; give another with --control-port"
            ) from None
        self._server.faults = faults
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="alluse-control", daemon=True)

    @property
    def url(self) -> str:
        """Where it is, such as http://127.0.0.1:9465."""
        return f"http://{_HOST}:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def close(self) -> None:
        """End the server, and free the port."""
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    faults: Faults


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0

    def do_GET(self) -> None:
        if self._admitted():
            name = self._fault()
            if name is None:
                self._answer(200, self.server.faults.state())
            else:
                self._answer_state(name)

    def do_PUT(self) -> None:
        name = self._named()
        if name is None:
            return
        given = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        unknown = sorted(given.keys() - {"rate", "seconds"})
        if unknown:
            self._answer(400, {"error": f"there is no parameter {unknown[0]!r}; there are rate and seconds"})
            return
        try:
            fault = Fault.checked(name, given.get("rate", ["1"])[-1], given.get("seconds", [None])[-1])
        except FaultError as error:
            self._answer(400, {"error": str(error)})
            return
        self.server.faults.start(fault)
        _log.warning("fault %s is on at rate %g", fault.name, fault.rate)
        self._answer_state(name)

    do_POST = do_PUT  # noqa: N815 - the server looks a method up by this name

    def do_DELETE(self) -> None:
        name = self._named()
        if name is not None:
            self.server.faults.stop(name)
            _log.warning("fault %s is off", name)
            self._answer_state(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        _log.debug("control: %s", format % args)

    def _named(self) -> str | None:
        """The fault that the path names; None, with the request answered, where there is none."""
        if not self._admitted():
            return None
        name = self._fault()
        if name is None:
            self._answer(405, {"error": f"name a fault: /faults/<name>, one of {', '.join(FAULTS)}"})
            return None
        return name if self._known(name) else None

    def _fault(self) -> str | None:
        """What follows /faults/ in the path."""
        return urlsplit(self.path).path.strip("/").partition("/")[2] or None

    def _answer_state(self, name: str) -> None:
        if self._known(name):
            self._answer(200, {name: self.server.faults.state()[name]})

    def _known(self, name: str) -> bool:
        if name in FAULTS:
            return True
        self._answer(404, {"error": f"there is no fault {name!r}; there are {', '.join(FAULTS)}"})
        return False

    def _admitted(self) -> bool:
        """Whether the request is for this endpoint, and comes from no web page that a browser here has open."""
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if self.headers.get("Origin") is not None or host not in _OWN_NAMES:
            self._answer(403, {"error": f"the control endpoint answers programs of this machine, at {_HOST}"})
            return False
        if urlsplit(self.path).path.strip("/").partition("/")[0] != "faults":
            self._answer(404, {"error": "there is /faults and /faults/<name>"})
            return False
        return True

    def _answer(self, status: int, document: Any) -> None:
        body = (json.dumps(document, indent=2) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True
