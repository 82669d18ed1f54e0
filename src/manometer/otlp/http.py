"""OpenTelemetry's exporters over HTTP."""

import gzip
from typing import Any

from opentelemetry.exporter.otlp.proto.http import Compression, _log_exporter, metric_exporter, trace_exporter
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.trace.export import SpanExporter
from requests import Response, Session

from manometer.otlp.answers import Answers
from manometer.otlp.credentials import provided_session
from manometer.otlp.destination import Destination
from manometer.otlp.exporter import EncodedExporter
from manometer.otlp.outcomes import quieten

__all__ = ["lines", "metrics", "spans"]

_FAST = 1
"""gzip's level. Figures shrink to a twentieth, and hardly more by the default, which takes ten times as long."""


def spans(destination: Destination, answers: Answers) -> SpanExporter:
    """What sends spans there."""
    quieten(trace_exporter.__name__)
    return trace_exporter.OTLPSpanExporter(
        endpoint=destination.url,
        headers=_headers(destination),
        timeout=destination.timeout,
        compression=Compression(destination.compression),
        session=_Session(answers, provided_session("TRACES")),
    )


def metrics(destination: Destination, answers: Answers) -> EncodedExporter:
    """What sends metrics there."""
    quieten(metric_exporter.__name__)
    session = _Bodies(answers, provided_session("METRICS"), destination.compression)
    return _Encoded(metric_exporter.OTLPMetricExporter, MetricsData([]), destination, session)


def lines(destination: Destination, answers: Answers) -> EncodedExporter:
    """What sends log lines there."""
    quieten(_log_exporter.__name__)
    session = _Bodies(answers, provided_session("LOGS"), destination.compression)
    return _Encoded(_log_exporter.OTLPLogExporter, [], destination, session)


class _Encoded:
    """OpenTelemetry's exporter of metrics or log lines, with the body of its requests from us.

    It takes the objects of its SDK alone. These have no summaries, and take longer to make and to encode than the
    whole of a collection here. So it gets an empty collection, and the session that it sends by puts the body in.
    Where the requests go, their headers, certificates, time-outs and retries are the exporter's.
    """

    def __init__(self, kind: Any, nothing: Any, destination: Destination, session: "_Bodies") -> None:
        self._nothing, self._session = nothing, session
        self._exporter = kind(
            endpoint=destination.url,
            headers=_headers(destination),
            timeout=destination.timeout,
            compression=Compression.NoCompression,
            session=session,
        )

    def send(self, body: bytes, _: int, /) -> bool:
        self._session.take(body)
        return bool(self._exporter.export(self._nothing).name == "SUCCESS")

    def close(self) -> None:
        self._exporter.shutdown()


class _Session(Session):
    """Sends what it is given, and has the answers heard: the exporter drops them.

    provided: the session to send by, where the program has named a provider of credentials.
    """

    def __init__(self, answers: Answers, provided: Session | None) -> None:
        super().__init__()
        self._answers, self._provided = answers, provided
        if provided is not None:
            self.headers.clear()  # what the exporter puts here goes along; what is usual, the other session has

    def request(self, *args: Any, **settings: Any) -> Response:
        # What a session says of certificates gives way to REQUESTS_CA_BUNDLE, what a request says does not.
        settings = {"verify": self.verify, "cert": self.cert, **settings}
        if self._provided is None:
            response = super().request(*args, **settings)
        else:
            settings["headers"] = {**self.headers, **(settings.get("headers") or {})}
            response = self._provided.request(*args, **settings)
        self._answers.hear(response)
        return response


class _Bodies(_Session):
    """Sends a body of ours in the place of whatever it is given."""

    def __init__(self, answers: Answers, provided: Session | None, compression: str) -> None:
        super().__init__(answers, provided)
        self._compresses = compression == "gzip"
        self._body = b""

    def take(self, body: bytes) -> None:
        """Have this body sent from now on."""
        self._body = gzip.compress(body, _FAST) if self._compresses else body

    def request(self, *args: Any, **settings: Any) -> Response:
        settings["data"] = self._body
        if self._compresses:
            settings["headers"] = {**(settings.get("headers") or {}), "Content-Encoding": "gzip"}
        return super().request(*args, **settings)


def _headers(destination: Destination) -> dict[str, str] | None:
    return None if destination.headers is None else dict(destination.headers)
