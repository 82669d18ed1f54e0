"""An HTTP server that hands on what is posted to it, and says that all is well or what it is told to say."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

__all__ = ["Answer", "Catcher"]


class Answer(NamedTuple):
    """What a request is answered with."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Catcher:
    """url: where it listens. take: called with the path, the headers and the body of each request.

    It returns an Answer, or None for one of success. port: by default a free one. tls: a context, for HTTPS.
    """

    def __init__(self, take, port=0, tls=None):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = take(self.path, self.headers, body) or Answer()
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                """A client that gave up is none of the server's errors."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self):
        """Free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
