"""An HTTP server that hands on what is posted to it, and says that all is well."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

__all__ = ["Catcher"]


class Catcher:
    """url: where it listens. take: called with the path, the headers and the body of each request."""

    def __init__(self, take):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                take(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
