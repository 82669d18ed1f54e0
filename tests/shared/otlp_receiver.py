"""An OTLP/HTTP receiver for tests."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from waiting import DEADLINE


class Receiver:
    """An OTLP/HTTP receiver that keeps what it gets, and answers `status` and `answer` once it is not held up."""

    def __init__(self):
        self.status = 200
        self.answer = b""
        self.tokens = []  # of each request
        self.spans = []  # path, service and name of each
        self.requests = 0
        self.asked, self.held_up = Event(), Event()
        self.held_up.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.tokens.append(self.headers["X-Token"])
                receiver.taken(self.path, ExportTraceServiceRequest.FromString(body))
                self.send_response(receiver.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def taken(self, path, request):
        """A request came in."""
        self.requests += 1
        self.asked.set()
        assert self.held_up.wait(DEADLINE)
        for each in request.resource_spans:
            (service,) = [a.value.string_value for a in each.resource.attributes if a.key == "service.name"]
            self.spans += [(path, service, span.name) for scope in each.scope_spans for span in scope.spans]

    def close(self):
        """Free the port."""
        self.held_up.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
