"""A session with credentials, which some package makes, is what spans, figures and log lines go out by."""

import json
import os
import subprocess
import sys

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from manometer import ConfigError
from manometer.otlp.destination import Destination
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling
from waiting import DEADLINE

SPANS = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER"
FOR_ALL = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER"

CREDENTIALS = """
import requests

class Signed(requests.Session):
    def request(self, *args, **settings):
        return super().request(*args, **settings | {"headers": {**settings["headers"], "X-Token": "secret"}})

session = requests.Session()
session.headers["X-Token"] = "secret"
provide = lambda: session
sign = Signed
nothing = dict
"""
SPAN = """
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
FIGURES_AND_LINES = """
import json, logging, sys
import manometer
from prometheus_client import CollectorRegistry
registry = CollectorRegistry()
settings = manometer.Settings.load(
    serve=False, otlp_endpoint=sys.argv[1], traces_exporter="none", logs_exporter="otlp", otlp_compression=sys.argv[2]
)
orders = manometer.Counter("orders", "Orders.", registry=registry)
with manometer.Manometer(settings, registry=registry):
    orders.inc(3)
    logging.getLogger("shop").warning("placed")
    arrived = manometer.flush(None)
failures = registry.get_sample_value("manometer_collect_failures_total", {"manometer_collector_name": "metrics"})
print(json.dumps([arrived, failures]))
"""


@pytest.fixture
def run(receiver, tmp_path):
    """Runs a program beside a package that has providers of credentials; what it says, as JSON."""
    package = tmp_path / "credentials-1.dist-info"
    package.mkdir()
    (tmp_path / "credentials.py").write_text(CREDENTIALS)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: credentials\nVersion: 1\n")
    (package / "entry_points.txt").write_text(
        "[opentelemetry_otlp_credential_provider]\n"
        "kept = credentials:provide\nsigned = credentials:sign\nwrong = credentials:nothing\n"
    )

    def run(program, *arguments, **variables):
        environment = os.environ | {"PYTHONPATH": str(tmp_path)} | variables
        command = [sys.executable, "-W", "error", "-c", program, receiver.url, *arguments]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_spans_go_out_by_it(receiver, run):
    """Its answers are heard, and nothing is left in the session."""
    partial = ExportTracePartialSuccess(rejected_spans=1)
    receiver.answer = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    assert run(SPAN, **{SPANS: "kept"}) == [1.0, 0]
    assert receiver.tokens == ["secret"]


def test_spans_without_their_provider_are_an_error_of_the_start(figures, monkeypatch):
    """It names the provider."""
    monkeypatch.setenv(FOR_ALL, "absent")
    with pytest.raises(ConfigError, match="provider of credentials 'absent'"):
        Spans(Destination("http://127.0.0.1:1/v1/traces"), Sampling(1.0), "orders", figures.registry)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("provider", ["kept", "signed"])
def test_figures_and_lines_go_out_by_it(receiver, run, provider, compression):
    """With their own bodies, whether the session has the credentials or adds them to each request."""
    assert run(FIGURES_AND_LINES, compression, **{FOR_ALL: provider}) == [True, None]
    assert set(receiver.tokens) == {"secret"}
    assert {each["Content-Type"] for each in receiver.headers} == {"application/x-protobuf"}
    assert [line[1:] for line in receiver.lines] == [("shop", "placed")]
    assert receiver.metrics


def test_each_may_have_a_provider_of_its_own(receiver, run):
    """The others go out as they do without."""
    run(FIGURES_AND_LINES, "none", OTEL_PYTHON_EXPORTER_OTLP_HTTP_LOGS_CREDENTIAL_PROVIDER="kept")
    assert sorted(receiver.tokens, key=str) == [*[None] * len(receiver.metrics), "secret"]


@pytest.mark.parametrize("provider", ["wrong", "absent"])
def test_a_provider_that_is_none_is_a_counted_failure(receiver, run, provider):
    """Nothing goes out without the credentials."""
    arrived, failures = run(FIGURES_AND_LINES, "none", **{FOR_ALL: provider})
    assert not arrived
    assert failures >= 1
    assert receiver.headers == []
