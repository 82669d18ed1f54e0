"""An OTLP/gRPC receiver of metrics for tests."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)

from waiting import DEADLINE

__all__ = ["GrpcReceiver"]


class GrpcReceiver(MetricsServiceServicer):
    """Keeps the requests that it takes. throttles: seconds after which each of the next ones may come again.

    tls: a key and a certificate, as PEM.
    """

    def __init__(self, tls=None):
        self.metrics, self.refused, self.throttles = [], [], []
        self._server = grpc.server(ThreadPoolExecutor(2))
        add_MetricsServiceServicer_to_server(self, self._server)
        if tls is None:
            self.url = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        else:
            credentials = grpc.ssl_server_credentials([tls])
            self.url = f"https://127.0.0.1:{self._server.add_secure_port('127.0.0.1:0', credentials)}"
        self._server.start()

    def Export(self, request, context):  # noqa: N802 - gRPC's name
        if self.throttles:
            self.refused.append(request)
            info = RetryInfo(retry_delay=Duration(seconds=self.throttles.pop(0)))
            context.set_trailing_metadata((("google.rpc.retryinfo-bin", info.SerializeToString()),))
            context.abort(grpc.StatusCode.UNAVAILABLE, "busy")
        self.metrics.append(request)
        return ExportMetricsServiceResponse()

    def close(self):
        """Free the port."""
        self._server.stop(None).wait(DEADLINE)
