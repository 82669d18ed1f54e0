"""An OTLP/HTTP receiver for tests."""

import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from waiting import DEADLINE


class Receiver:
    """An OTLP/HTTP receiver that keeps what it gets, and answers `status` and `answer` once it is not held up.

    port: by default a free one.
    """

    def __init__(self, port=0):
        self.status = 200
        self.answer = b""
        self.headers = []  # of each request
        self.spans = []  # path, service and name of each
        self.metrics = []  # each request
        self.requests = 0
        self.asked, self.held_up = Event(), Event()
        self.held_up.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                receiver.headers.append(self.headers)
                receiver.taken(self.path, body)
                self.send_response(receiver.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                """A client that gave up is none of the receiver's errors."""

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def tokens(self):
        """What each request said in X-Token."""
        return [headers["X-Token"] for headers in self.headers]

    def taken(self, path, body):
        """A request came in."""
        self.requests += 1
        self.asked.set()
        assert self.held_up.wait(DEADLINE)
        if path.endswith("/v1/metrics"):
            self.metrics.append(ExportMetricsServiceRequest.FromString(body))
            return
        for each in ExportTraceServiceRequest.FromString(body).resource_spans:
            (service,) = [a.value.string_value for a in each.resource.attributes if a.key == "service.name"]
            self.spans += [(path, service, span.name) for scope in each.scope_spans for span in scope.spans]

    def close(self):
        """Free the port."""
        self.held_up.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
