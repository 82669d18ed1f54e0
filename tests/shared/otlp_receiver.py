"""An OTLP/HTTP receiver for tests."""

import gzip
from threading import Event

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from posted import Answer, Catcher
from waiting import DEADLINE

__all__ = ["Receiver"]

_REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}


class Receiver:
    """Keeps what it takes, and answers `status` and `answer` once it is not held up.

    answers: to the next requests, in the place of that. port, tls: see Catcher.
    """

    def __init__(self, port=0, tls=None):
        self.status = 200
        self.answer = b""
        self.answers = []
        self.headers = []  # of each request
        self.spans = []  # path, service and name of each
        self.traces = []  # each request of spans
        self.metrics = []  # each request
        self.lines = []  # service, logger and text of each
        self.refused = []  # each request that was not answered with success
        self.asked, self.held_up = Event(), Event()
        self.held_up.set()
        self._catcher = Catcher(self._take, port, tls)
        self.port, self.url = self._catcher.port, self._catcher.url

    @property
    def tokens(self):
        """What each request said in X-Token."""
        return [headers["X-Token"] for headers in self.headers]

    def close(self):
        """Free the port."""
        self.held_up.set()
        self._catcher.close()

    def _take(self, path, headers, body):
        self.headers.append(headers)
        self.asked.set()
        assert self.held_up.wait(DEADLINE)
        answer = self.answers.pop(0) if self.answers else Answer(self.status, self.answer)
        kind = path.rpartition("/")[2]
        body = gzip.decompress(body) if headers["Content-Encoding"] == "gzip" else body
        request = _REQUESTS.get(kind, ExportTraceServiceRequest).FromString(body)
        if answer.status != 200:
            self.refused.append(request)
        elif kind == "metrics":
            self.metrics.append(request)
        elif kind == "logs":
            self.lines += _lines(request)
        else:
            self.traces.append(request)
            self.spans += [(path, *each) for each in _spans(request)]
        return answer._replace(headers={"Content-Type": "application/x-protobuf", **answer.headers})


def _spans(request):
    """Service and name of each span."""
    return [
        (_service(each), span.name)
        for each in request.resource_spans
        for scope in each.scope_spans
        for span in scope.spans
    ]


def _lines(request):
    """Service, logger and text of each line."""
    return [
        (_service(each), scope.scope.name, record.body.string_value)
        for each in request.resource_logs
        for scope in each.scope_logs
        for record in scope.log_records
    ]


def _service(each):
    (name,) = [a.value.string_value for a in each.resource.attributes if a.key == "service.name"]
    return name
