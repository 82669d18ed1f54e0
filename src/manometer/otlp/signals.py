"""The kinds of telemetry that OTLP carries: where a receiver takes each, and how it says what it rejects."""

from typing import Any, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

__all__ = ["LINES", "METRICS", "SPANS", "Signal"]


class Signal(NamedTuple):
    """One kind. noun: what one of it is called, in the plural; answer: what a receiver answers.

    rejected: the field of the answer's partial success that has the number of those that are not taken.
    """

    noun: str
    path: str
    answer: Any
    rejected: str


SPANS = Signal("spans", "v1/traces", ExportTraceServiceResponse, "rejected_spans")
METRICS = Signal("data points", "v1/metrics", ExportMetricsServiceResponse, "rejected_data_points")
LINES = Signal("log lines", "v1/logs", ExportLogsServiceResponse, "rejected_log_records")
