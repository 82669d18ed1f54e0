"""What came out of the collector: spans by their trace."""

import gzip
from threading import Lock

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["SpanStore"]


class SpanStore:
    """Keeps the spans of requests over OTLP/HTTP."""

    def __init__(self):
        self._kept, self._lock = {}, Lock()

    def take(self, headers, body):
        """A request came in."""
        if headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        with self._lock:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        self._kept.setdefault(span.trace_id.hex(), []).append(_told(span))

    def of(self, trace_id):
        """The spans of a trace, the earliest first."""
        with self._lock:
            return sorted(self._kept.get(trace_id, ()), key=lambda span: span["start"])


def _told(span):
    """A span; start: seconds since the epoch, seconds: how long it took."""
    return {
        "name": span.name,
        "span_id": span.span_id.hex(),
        "parent_id": span.parent_span_id.hex(),
        "start": span.start_time_unix_nano / 1e9,
        "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
    }
