"""OpenTelemetry's exporters over gRPC."""

from typing import Any

from grpc import Compression  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.grpc import exporter as grpc_exporter
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.trace.export import SpanExporter

from manometer.otlp.answers import Answers
from manometer.otlp.destination import Destination
from manometer.otlp.exporter import EncodedExporter
from manometer.otlp.outcomes import quieten

__all__ = ["lines", "metrics", "spans"]


def spans(destination: Destination, answers: Answers) -> SpanExporter:
    """What sends spans there."""
    quieten(grpc_exporter.__name__)
    exporter = OTLPSpanExporter(**_settings(destination))
    _have_heard(exporter, answers)
    return exporter


def metrics(destination: Destination, answers: Answers) -> EncodedExporter:
    """What sends metrics there."""
    quieten(grpc_exporter.__name__)
    return _Encoded(_Metrics, ExportMetricsServiceRequest, destination, answers)


def lines(destination: Destination, answers: Answers) -> EncodedExporter:
    """What sends log lines there."""
    quieten(grpc_exporter.__name__)
    return _Encoded(_Lines, ExportLogsServiceRequest, destination, answers)


class _Encoded:
    def __init__(self, kind: Any, request: Any, destination: Destination, answers: Answers) -> None:
        self._request, self._exporter = request, kind(**_settings(destination))
        _have_heard(self._exporter, answers)

    def send(self, body: bytes, number: int, /) -> bool:
        self._exporter.number = number
        return bool(self._exporter.export(self._request.FromString(body)).name == "SUCCESS")

    def close(self) -> None:
        self._exporter.shutdown()


class _AsItIs:
    """Has an exporter take a request in the place of the SDK's objects; `manometer.otlp.http` says why."""

    number = 0

    def _translate_data(self, data: Any) -> Any:
        return data

    def _count_data(self, _: Any) -> int:
        return self.number


class _Metrics(_AsItIs, OTLPMetricExporter):
    pass


class _Lines(_AsItIs, OTLPLogExporter):
    pass


def _settings(destination: Destination) -> dict[str, Any]:
    headers = destination.headers
    return {
        "endpoint": destination.url,
        "headers": None if headers is None else tuple(headers.items()),
        "timeout": destination.timeout,
        "compression": Compression.Gzip if destination.compression == "gzip" else Compression.NoCompression,
    }


class _Heard:
    """A stub whose answers are heard: the exporter drops them."""

    def __init__(self, stub: Any, answers: Answers) -> None:
        self._stub, self._answers = stub, answers

    def Export(self, **request: Any) -> Any:  # noqa: N802 - gRPC's name
        answer = self._stub.Export(**request)
        self._answers.hear(answer)
        return answer


def _have_heard(exporter: Any, answers: Answers) -> None:
    """Put it in front of the exporter's stub, and of those that the exporter makes when it connects anew.

    These are private names. Where another version has others, nothing is heard, and all counts as the status says.
    """
    client, kind = getattr(exporter, "_client", None), getattr(exporter, "_stub", None)
    if client is not None and kind is not None:
        exporter._client = _Heard(client, answers)
        exporter._stub = lambda channel: _Heard(kind(channel), answers)
