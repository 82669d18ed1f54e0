"""What an OTLP receiver says that it rejects of a batch of spans, although it answers with success."""

import logging
from threading import local
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from manometer.redaction import brief

__all__ = ["Answers"]

_log = logging.getLogger("manometer")


class Answers:
    """Hears what a receiver answers to an exporter, which itself looks at the status of an answer alone.

    The exporter takes a session of requests, where a hook could hear it. But passing one would replace the session of
    a provider of credentials that the user has named in the environment. So the hook goes into the session that the
    exporter has, whatever made it. Other exporters may share that session: only the thread that listens is heard.

    receiver: its name in the log.
    """

    def __init__(self, exporter: OTLPSpanExporter, receiver: str) -> None:
        self._receiver = receiver
        self._here = _Heard()
        self._has_told = False
        self._hooks = _hooks_of(exporter)
        self._hooks.append(self._hear)

    def listen(self) -> None:
        """Hear the answers that this thread gets from now on."""
        self._here.listens, self._here.response = True, None

    def ignore(self) -> Any:
        """Hear no more on this thread, and return the last answer since `listen`; None where there was none."""
        response, self._here.listens, self._here.response = self._here.response, False, None
        return response

    def rejected(self, response: Any, sent: int) -> int:
        """How many of the spans that were sent the answer rejects. The first time, the log says why."""
        try:
            partial = ExportTraceServiceResponse.FromString(response.content).partial_success
        except Exception:  # there was no answer, or another, such as a page of a proxy
            return 0
        spans: int = min(max(partial.rejected_spans, 0), sent)
        if (spans or partial.error_message) and not self._has_told:
            self._has_told = True
            why = brief(partial.error_message) or "it does not say why"
            _log.warning("%s rejected %d of %d spans: %s", self._receiver, spans, sent, why)
        return spans

    def close(self) -> None:
        """Leave the session as it was."""
        if self._hear in self._hooks:
            self._hooks.remove(self._hear)

    def _hear(self, response: Any, *_: object, **__: object) -> None:
        if self._here.listens:
            self._here.response = response  # its content is read by requests, after this


class _Heard(local):
    listens = False
    response: Any = None


def _hooks_of(exporter: OTLPSpanExporter) -> list[Any]:
    """What the session of the exporter calls for each answer.

    These are private names: up to OpenTelemetry 1.44 the exporter has the session, later its client's transport.
    Where another version has neither, nothing is heard, and every span of a batch counts as the status says.
    """
    transport = getattr(getattr(exporter, "_client", None), "_transport", exporter)
    session = getattr(transport, "_session", None)
    hooks: list[Any] = getattr(session, "hooks", {}).get("response", [])
    return hooks
