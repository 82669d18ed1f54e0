"""What a receiver rejects of a batch that it takes otherwise."""

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from manometer.otlp.destination import Destination
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling

pytestmark = pytest.mark.usefixtures("provider_of_its_own")


def _span():
    with trace.get_tracer("test").start_as_current_span("place_order"):
        pass


def _counted(figures):
    return figures.all("manometer_otlp_spans_total", "manometer_otlp_span_outcome")


def _partial_success(rejected, message):
    """What a receiver answers that took a part of a batch."""
    partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    return ExportTraceServiceResponse(partial_success=partial).SerializeToString()


def test_what_the_receiver_rejects_of_a_batch_is_lost(receiver, figures, caplog):
    """It is counted by itself; what the receiver says is logged once, in short, and without secrets."""
    receiver.answer = _partial_success(2, "over the limit\nof password=hunter2 " + "x" * 1000)
    spans = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    for batch in (5, 3):
        for _ in range(batch):
            _span()
        trace.get_tracer_provider().force_flush()
    receiver.answer = b""
    _span()
    spans.close()
    assert _counted(figures) == {"ok": 5, "rejected": 4}
    ((level, message),) = [(each.levelname, each.getMessage()) for each in caplog.records if each.name == "manometer"]
    assert level == "WARNING"
    assert message.startswith(f"{receiver.url}/v1/traces rejected 2 of 5 spans: over the limit of password=*** xxx")
    assert len(message) < 300


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (_partial_success(0, "a span is long"), {"ok": 3}),  # a warning, by the protocol
        (_partial_success(7, ""), {"rejected": 3}),  # more than there were
        (_partial_success(-1, ""), {"ok": 3}),
        (b"<html>", {"ok": 3}),
    ],
)
def test_no_answer_is_believed_beyond_reason(receiver, figures, answer, counted):
    """As many spans are counted as were sent."""
    receiver.answer = answer
    spans = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    for _ in range(3):
        _span()
    spans.close()
    assert _counted(figures) == counted
