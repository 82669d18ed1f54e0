"""OpenTelemetry's exporters over HTTP."""

import gzip
from typing import Any

from opentelemetry.exporter.otlp.proto.http import Compression, _log_exporter, metric_exporter, trace_exporter
from opentelemetry.sdk.metrics.export import MetricsData
from requests import Response, Session

from manometer.otlp.answers import Answers
from manometer.otlp.credentials import provided_session
from manometer.otlp.destination import Destination
from manometer.otlp.exporter import EncodedExporter, SpansExporter
from manometer.otlp.outcomes import quieten

__all__ = ["lines", "metrics", "spans"]

_FAST = 1
"""gzip's level. Figures shrink to a twentieth, and hardly more by the default, which takes ten times as long."""


def spans(destination: Destination, answers: Answers) -> SpansExporter:
    """What sends spans there."""
    quieten(trace_exporter.__name__)
    exporter = trace_exporter.OTLPSpanExporter(
        endpoint=destination.url,
        headers=_headers(destination),
        timeout=destination.timeout,
        compression=Compression(destination.compression),
    )
    hooks = _hooks_of(exporter)

    def hear(response: Any, *_: object, **__: object) -> None:
        answers.hear(response)

    def let_go() -> None:
        if hear in hooks:
            hooks.remove(hear)

    hooks.append(hear)
    return SpansExporter(exporter, let_go)


def metrics(destination: Destination, answers: Answers) -> EncodedExporter:
    """What sends metrics there."""
    quieten(metric_exporter.__name__)
    session = _Session(answers, destination, provided_session("METRICS"))
    return _Encoded(metric_exporter.OTLPMetricExporter, MetricsData([]), destination, session)


def lines(destination: Destination, answers: Answers) -> EncodedExporter:
    """What sends log lines there."""
    quieten(_log_exporter.__name__)
    session = _Session(answers, destination, provided_session("LOGS"))
    return _Encoded(_log_exporter.OTLPLogExporter, [], destination, session)


class _Encoded:
    """OpenTelemetry's exporter of metrics or log lines, with the body of its requests from us.

    It takes the objects of its SDK alone. These have no summaries, and take longer to make and to encode than the
    whole of a collection here. So it gets an empty collection, and the session that it sends by puts the body in.
    Where the requests go, their headers, certificates, time-outs and retries are the exporter's.
    """

    def __init__(self, kind: Any, nothing: Any, destination: Destination, session: "_Session") -> None:
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
    """Sends a body of ours in the place of whatever it is given.

    provided: the session to send by, where the program has named a provider of credentials.
    """

    def __init__(self, answers: Answers, destination: Destination, provided: Session | None) -> None:
        super().__init__()
        self._answers, self._provided = answers, provided
        self._compresses = destination.compression == "gzip"
        self._body = b""
        if provided is not None:
            self.headers.clear()  # what the exporter puts here goes along; what is usual, the other session has

    def take(self, body: bytes) -> None:
        """Have this body sent from now on."""
        self._body = gzip.compress(body, _FAST) if self._compresses else body

    def request(self, *args: Any, **settings: Any) -> Response:
        settings["data"] = self._body
        if self._compresses:
            settings["headers"] = {**(settings.get("headers") or {}), "Content-Encoding": "gzip"}
        if self._provided is None:
            response = super().request(*args, **settings)
        else:
            settings["headers"] = {**self.headers, **(settings.get("headers") or {})}
            response = self._provided.request(*args, **{"verify": self.verify, "cert": self.cert, **settings})
        self._answers.hear(response)
        return response


def _headers(destination: Destination) -> dict[str, str] | None:
    return None if destination.headers is None else dict(destination.headers)


def _hooks_of(exporter: trace_exporter.OTLPSpanExporter) -> list[Any]:
    """What the session of the exporter calls for each answer.

    The exporter takes a session, where a hook could hear the answers. But passing one would replace the session of a
    provider of credentials that the user has named in the environment. So the hook goes into the session that the
    exporter has, whatever made it. These are private names: up to OpenTelemetry 1.44 the exporter has the session,
    later its client's transport. Where another version has neither, nothing is heard, and every span of a batch
    counts as the status says.
    """
    transport = getattr(getattr(exporter, "_client", None), "_transport", exporter)
    session = getattr(transport, "_session", None)
    hooks: list[Any] = getattr(session, "hooks", {}).get("response", [])
    return hooks
