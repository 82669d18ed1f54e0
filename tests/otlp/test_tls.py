"""Receivers with TLS: certificates and credentials as OpenTelemetry's variables name them."""

import logging
import ssl
from contextlib import closing

import certifi
import pytest
from opentelemetry import trace

from certificates import Authority
from manometer import Counter, Manometer, Settings, flush
from otlp_grpc_receiver import GrpcReceiver
from otlp_receiver import Receiver

pytestmark = pytest.mark.usefixtures("provider_of_its_own")

KINDS = ("TRACES_", "METRICS_", "LOGS_")


@pytest.fixture
def folder(tmp_path):
    """A certificate for the loopback and its key, `here.crt` and `here.key`, and the authority's, `ca.crt`."""
    Authority().write(tmp_path, "here", "127.0.0.1")
    return tmp_path


def _sent(registry, **settings):
    """Whether spans, figures and lines all get there."""
    orders = Counter("orders", "o", registry=registry)
    with Manometer(Settings(serve=False, logs_exporter="otlp", **settings), registry=registry):
        orders.inc()
        with trace.get_tracer("test").start_as_current_span("place_order"):
            logging.getLogger("shop").warning("placed")
        return flush(None)


@pytest.mark.parametrize("kinds", [("",), KINDS, KINDS[1:]])
def test_a_certificate_of_the_receiver_is_checked_by_the_authority_that_is_named(folder, figures, monkeypatch, kinds):
    """For all kinds at once or for each, whatever `requests` is told; what has none named does not trust it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "here.crt", folder / "here.key")
    for kind in kinds:
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{kind}CERTIFICATE", str(folder / "ca.crt"))
    with closing(Receiver(tls=tls)) as receiver:
        is_trusted = "TRACES_" in kinds or kinds == ("",)
        assert _sent(figures.registry, otlp_endpoint=receiver.url, otlp_timeout=5.0) is is_trusted
        assert bool(receiver.spans) is is_trusted
        assert [line[2] for line in receiver.lines if line[1] == "shop"] == ["placed"]
        assert receiver.metrics


@pytest.mark.servers
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "ca.crt"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.crt"),
        ("OTEL_PYTHON_EXPORTER_OTLP_GRPC_CREDENTIAL_PROVIDER", "channel"),
        (None, None),
    ],
)
def test_figures_go_over_grpc_with_tls(folder, figures, monkeypatch, variable, value):
    """By a certificate, or by credentials of a channel that a package makes; without either, not at all."""
    package = folder / "channels-1.dist-info"
    package.mkdir()
    (folder / "channels.py").write_text(
        "import grpc\n"
        "from pathlib import Path\n"
        "make = lambda: grpc.ssl_channel_credentials(Path(__file__).with_name('ca.crt').read_bytes())\n"
    )
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: channels\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[opentelemetry_otlp_credential_provider]\nchannel = channels:make\n")
    monkeypatch.syspath_prepend(folder)
    if variable is not None:
        monkeypatch.setenv(variable, str(folder / value) if value == "ca.crt" else value)
    tls = (folder / "here.key").read_bytes(), (folder / "here.crt").read_bytes()
    with closing(GrpcReceiver(tls)) as receiver:
        settings = {"otlp_metrics_endpoint": receiver.url, "otlp_protocol": "grpc", "otlp_timeout": 5.0}
        assert _sent(figures.registry, **settings) is (variable is not None)
        assert bool(receiver.metrics) is (variable is not None)
