"""What a receiver rejects of a batch that it takes otherwise."""

import json
import os
import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk import environment_variables

from manometer.otlp import http
from manometer.otlp.destination import Destination
from manometer.otlp.http import _hooks_of
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling
from waiting import DEADLINE

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


def test_an_exporter_without_a_session_is_taken_at_its_word(receiver, figures, monkeypatch):
    """As one of another version may be: the status of an answer says what became of the batch."""
    monkeypatch.setattr(http, "_hooks_of", lambda _: _hooks_of(object()))
    receiver.answer = _partial_success(1, "")
    spans = Spans(Destination(f"{receiver.url}/v1/traces"), Sampling(1.0), "orders", figures.registry)
    _span()
    spans.close()
    assert _counted(figures) == {"ok": 1}


CREDENTIALS = """
import requests
session = requests.Session()
session.headers["X-Token"] = "secret"
provide = lambda: session
"""
PROGRAM = """
import json, sys
import credentials
from opentelemetry import trace
from prometheus_client import CollectorRegistry
from manometer.otlp.destination import Destination
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling
registry = CollectorRegistry()
on = Spans(Destination(sys.argv[1] + "/v1/traces"), Sampling(1.0), "orders", registry)
with trace.get_tracer("test").start_as_current_span("place_order"):
    pass
on.close()
rejected = registry.get_sample_value("manometer_otlp_spans_total", {"manometer_otlp_span_outcome": "rejected"})
print(json.dumps([rejected, len(credentials.session.hooks["response"])]))
"""


def test_the_program_s_credentials_are_kept(receiver, tmp_path):
    """A provider of them gives the session that sends; its answers are heard, and after the close no more."""
    variable = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER"
    if not hasattr(environment_variables, f"_{variable}"):
        pytest.skip("this OpenTelemetry has no providers of credentials")
    package = tmp_path / "credentials-1.dist-info"
    package.mkdir()
    (tmp_path / "credentials.py").write_text(CREDENTIALS)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: credentials\nVersion: 1\n")
    (package / "entry_points.txt").write_text(
        "[opentelemetry_otlp_credential_provider]\ncredentials = credentials:provide\n"
    )
    receiver.answer = _partial_success(1, "")
    environment = os.environ | {variable: "credentials", "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", PROGRAM, receiver.url]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [1.0, 0]
    assert receiver.tokens == ["secret"]
