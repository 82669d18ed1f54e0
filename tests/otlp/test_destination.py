"""Where spans and metrics go, by the settings and by OpenTelemetry's own variables."""

import importlib.util

import pytest

from manometer import Settings
from manometer.config.declared import readable
from manometer.otlp.destination import Destination, of_lines, of_metrics, of_spans

BASE = "http://otel:4318"


def _loaded(**environ):
    return Settings.load(environ=environ)


def test_one_endpoint_is_for_both():
    """Each signal has its path below it over HTTP; over gRPC there are none."""
    settings = Settings(otlp_endpoint=f"{BASE}/in/")
    assert of_spans(settings) == Destination(f"{BASE}/in/v1/traces")
    assert of_metrics(settings) == Destination(f"{BASE}/in/v1/metrics")
    settings = Settings(otlp_endpoint="http://otel:4317", otlp_protocol="grpc", otlp_headers="a=b", otlp_timeout=3.0)
    assert of_metrics(settings) == Destination("http://otel:4317", {"a": "b"}, "grpc", "none", 3.0)


@pytest.mark.parametrize(("kind", "of"), [("traces", of_spans), ("metrics", of_metrics), ("logs", of_lines)])
def test_each_kind_may_have_all_of_its_own(kind, of):
    """The others have what holds for all."""
    variables = {
        "ENDPOINT": "https://own/in",
        "PROTOCOL": "grpc",
        "COMPRESSION": "gzip",
        "TIMEOUT": "7",
    }
    own = {f"OTEL_EXPORTER_OTLP_{kind.upper()}_{part}": text for part, text in variables.items()}
    headers = {f"MANOMETER_OTLP_{kind.upper()}_HEADERS": "token=own"}
    for_all = {"OTEL_EXPORTER_OTLP_ENDPOINT": BASE, "MANOMETER_OTLP_HEADERS": "token=all"}
    settings = _loaded(**own, **headers, **for_all, OTEL_LOGS_EXPORTER="otlp")
    assert of(settings) == Destination("https://own/in", {"token": "own"}, "grpc", "gzip", 7.0)
    others = {"traces": of_spans, "metrics": of_metrics, "logs": of_lines}
    del others[kind]
    for other, of_other in others.items():
        assert of_other(settings) == Destination(f"{BASE}/v1/{other}", {"token": "all"})


def test_a_file_of_opentelemetry_s_is_not_read_in_silence(caplog):
    """It is for the SDK alone."""
    assert _loaded(OTEL_CONFIG_FILE="otel.yaml") == Settings()
    assert [each.getMessage() for each in caplog.records] == [
        "OTEL_CONFIG_FILE is set: OpenTelemetry's SDK reads that file, and Manometer does not; "
        "set MANOMETER_CONFIG_FILE too"
    ]


@pytest.mark.parametrize(
    ("settings", "spans", "metrics"),
    [
        (Settings(), False, False),
        (Settings(otlp_endpoint=BASE, metrics_exporter="none"), True, False),
        (Settings(otlp_endpoint=BASE, otlp_disabled=True), False, False),
        (Settings(otlp_endpoint=BASE, traces_exporter="none"), False, True),
        (Settings(otlp_metrics_endpoint=f"{BASE}/own"), False, True),
        (Settings(otlp_traces_endpoint=f"{BASE}/own"), True, False),
    ],
)
def test_what_is_not_asked_for_goes_nowhere(settings, spans, metrics):
    """As where there is no endpoint, or where all is off."""
    assert (of_spans(settings) is not None, of_metrics(settings) is not None) == (spans, metrics)


def test_an_endpoint_of_metrics_is_the_whole_url():
    """OpenTelemetry's specification has it so."""
    settings = Settings(otlp_endpoint=BASE, otlp_metrics_endpoint="http://other:9090/api/v1/otlp/v1/metrics")
    assert of_metrics(settings).url == "http://other:9090/api/v1/otlp/v1/metrics"
    assert of_spans(settings).url == f"{BASE}/v1/traces"


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", BASE, "otlp_endpoint", BASE),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"{BASE}/own", "otlp_metrics_endpoint", f"{BASE}/own"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "otlp_protocol", "grpc"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "otlp_compression", "gzip"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "7", "otlp_timeout", 7.0),
        ("OTEL_METRIC_EXPORT_INTERVAL", "15000", "metric_export_interval", 15.0),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "2500", "metric_export_timeout", 2.5),
        ("OTEL_TRACES_EXPORTER", "none", "traces_exporter", "none"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "traces_exporter", "none"),
        ("OTEL_METRICS_EXPORTER", "none", "metrics_exporter", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus", "metrics_exporter", "none"),
        ("OTEL_METRICS_EXPORTER", "console, otlp", "metrics_exporter", "otlp"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", "otlp_temporality", "delta"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "LowMemory", "otlp_temporality", "lowmemory"),
        ("OTEL_SDK_DISABLED", "true", "otlp_disabled", True),
    ],
)
def test_opentelemetry_s_variables_set_our_settings(variable, text, name, value):
    """In its units; what Manometer's own variable says comes before."""
    assert getattr(_loaded(**{variable: text}), name) == value
    default = getattr(Settings(), name)
    ours = "http://own" if default is None else default
    own = {f"MANOMETER_{name.upper()}": readable(ours)}
    assert getattr(_loaded(**{variable: text}, **own), name) == ours


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json"),
        ("OTEL_METRICS_EXPORTER", "otpl"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "absolute"),
    ],
)
def test_what_cannot_be_used_is_ignored_with_a_warning(variable, text, caplog):
    """It was set for every program there."""
    assert _loaded(**{variable: text}) == Settings()
    (told,) = [each.getMessage() for each in caplog.records]
    assert variable in told
    assert told.endswith("it is ignored")


def test_grpc_without_its_extra_is_a_warning(monkeypatch, caplog):
    """Where the platform asks for it; the log names the extra."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "manometer.config.environment.find_spec", lambda name: None if name.endswith("grpc") else find(name)
    )
    assert _loaded(OTEL_EXPORTER_OTLP_PROTOCOL="grpc") == Settings()
    assert [each.getMessage() for each in caplog.records] == [
        "OTEL_EXPORTER_OTLP_PROTOCOL is set, but that needs an extra: pip install 'manometer[grpc]'"
    ]
