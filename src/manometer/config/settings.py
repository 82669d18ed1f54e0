"""Manometer's own settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypedDict, Unpack

from manometer.config.declared import declared, setting, shown
from manometer.config.loading import load
from manometer.config.mistakes import Mistakes
from manometer.config.own import COMPRESSION, PROTOCOL, own
from manometer.config.platforms import ANY_CASE, EXPORTERS, MILLISECONDS
from manometer.config.rules import ADDRESSES, FLAG, HEADERS, PATH, SECONDS, URL, choice, number, text, whole_number
from manometer.config.source import Origin, Source

__all__ = ["SettingValues", "Settings"]


class SettingValues(TypedDict, total=False):
    """The fields of Settings as keyword arguments, so that a type checker refuses one that is misspelt."""

    host: str
    port: int
    listen_addresses: str | None
    telemetry_path: str
    web_config_file: str | None
    max_requests: int
    allowed_hosts: str | None
    serve: bool
    service_name: str
    processes_dir: str | None
    textfile: str | None
    pushgateway_url: str | None
    db_client_connections: bool
    collector_timeout: float
    otlp_endpoint: str | None
    otlp_headers: str | None
    otlp_protocol: str
    otlp_compression: str
    otlp_timeout: float
    otlp_disabled: bool
    otlp_instance: str
    otlp_temporality: str
    otlp_traces_endpoint: str | None
    otlp_traces_headers: str | None
    otlp_traces_protocol: str | None
    otlp_traces_compression: str | None
    otlp_traces_timeout: float | None
    otlp_metrics_endpoint: str | None
    otlp_metrics_headers: str | None
    otlp_metrics_protocol: str | None
    otlp_metrics_compression: str | None
    otlp_metrics_timeout: float | None
    otlp_logs_endpoint: str | None
    otlp_logs_headers: str | None
    otlp_logs_protocol: str | None
    otlp_logs_compression: str | None
    otlp_logs_timeout: float | None
    traces_exporter: str
    metrics_exporter: str
    metric_export_interval: float
    metric_export_timeout: float
    logs_exporter: str
    trace_sampler: str
    trace_ratio: float
    traces_afterwards: float
    slow_run_seconds: float | None
    health_interval: float
    drain_time: float
    gc_thresholds: str | None
    gc_freeze: bool
    crash_report: str | None
    memory_report: str | None
    logs: bool
    log_level: str
    log_format: str
    log_file: str | None
    reload_on_sighup: bool


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """What a program may decide about its Manometer; each value is checked on the way in."""

    host: str = setting("127.0.0.1", "Address that the exporter listens on.", text("an address or a host name"))
    port: int = setting(9464, "Port that the exporter listens on; 0 picks a free one.", whole_number(0, 65535))
    listen_addresses: str | None = setting(
        None,
        "Addresses to listen on in place of host and port: 127.0.0.1:9464, [::1]:9464, :9464 for every address, "
        "unix:/run/app.sock, with commas between them.",
        ADDRESSES,
        instead_of=("host", "port"),
    )
    telemetry_path: str = setting("/metrics", "Path of the figures.", PATH)
    web_config_file: str | None = setting(
        None,
        "File with TLS, users, headers and a rate, as exporter-toolkit has it; it is read again when it changes.",
        text("a path"),
    )
    max_requests: int = setting(
        12, "Scrapes that are answered at once; some more wait, and the rest is refused.", whole_number(1, 1000)
    )
    allowed_hosts: str | None = setting(
        None,
        "Names by which an exporter on the loopback may be asked for besides its own, as by a proxy; * allows any.",
        text("host names with commas between them"),
        live=True,
    )
    serve: bool = setting(
        True, "Whether an exporter listens; a job that ends before anyone scrapes it needs none.", FLAG
    )
    service_name: str = setting(
        "python",
        "Name of the program on traces and the landing page.",
        text("a short name"),
        platform="OTEL_SERVICE_NAME",
    )
    processes_dir: str | None = setting(
        None,
        "Directory in which the worker processes of one program share their figures; unset shows each alone.",
        text("a path"),
        platform="PROMETHEUS_MULTIPROC_DIR",
    )
    textfile: str | None = setting(
        None,
        "File that gets the last figures at the end and at each flush, for node_exporter's textfile collector.",
        text("a path that ends in .prom, as that collector reads no other", r"[\s\S]+\.prom"),
    )
    pushgateway_url: str | None = setting(
        None,
        "URL of the group of a Pushgateway that gets the last figures at the end and at each flush, such as "
        "http://gateway:9091/metrics/job/nightly.",
        text(
            "the URL of a group, such as http://gateway:9091/metrics/job/nightly",
            r"https?://.+/metrics/job(@base64)?/[^/?#]+(/[^?#]+)?",
        ),
    )
    db_client_connections: bool = setting(
        False,
        "Whether pools of database connections are shown under OpenTelemetry's db.client.connection.* names too.",
        FLAG,
    )
    collector_timeout: float = setting(
        5.0,
        "Seconds that a scrape waits for a collector; less where the scraper itself waits less.",
        SECONDS,
        live=True,
    )
    otlp_endpoint: str | None = setting(
        None,
        "Base URL of an OTLP receiver that spans and metrics go to; unset sends none.",
        URL,
        live=True,
        platform="OTEL_EXPORTER_OTLP_ENDPOINT",
    )
    otlp_headers: str | None = setting(
        None,
        "Headers of requests to that receiver, such as credentials; unset leaves them to OpenTelemetry's variables.",
        HEADERS,
        secret=True,
        live=True,
    )
    otlp_protocol: str = setting(
        "http/protobuf",
        "What the receiver is spoken to by; grpc needs an extra of that name.",
        PROTOCOL,
        live=True,
        platform="OTEL_EXPORTER_OTLP_PROTOCOL",
    )
    otlp_compression: str = setting(
        "none",
        "Whether requests to the receiver are compressed.",
        COMPRESSION,
        live=True,
        platform="OTEL_EXPORTER_OTLP_COMPRESSION",
    )
    otlp_timeout: float = setting(
        10.0,
        "Seconds that one request to the receiver may take, retries included.",
        SECONDS,
        live=True,
        platform="OTEL_EXPORTER_OTLP_TIMEOUT",
    )
    otlp_disabled: bool = setting(
        False,
        "Whether nothing is sent over OTLP, whatever else is set.",
        FLAG,
        live=True,
        platform="OTEL_SDK_DISABLED",
    )
    otlp_instance: str = setting(
        "group",
        "Whether the processes of processes_dir are one instance to the receiver, or each is its own.",
        choice("group", "process"),
    )
    otlp_temporality: str = setting(
        "cumulative",
        "What counters and histograms tell a receiver: all there was; what came since it took them last (delta); or "
        "that for what Manometer counts itself (lowmemory).",
        choice("cumulative", "delta", "lowmemory"),
        platform="OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        platform_means=ANY_CASE,
    )
    otlp_traces_endpoint: str | None = own("TRACES", "spans", "endpoint")
    otlp_traces_headers: str | None = own("TRACES", "spans", "headers")
    otlp_traces_protocol: str | None = own("TRACES", "spans", "protocol")
    otlp_traces_compression: str | None = own("TRACES", "spans", "compression")
    otlp_traces_timeout: float | None = own("TRACES", "spans", "timeout")
    otlp_metrics_endpoint: str | None = own("METRICS", "metrics", "endpoint")
    otlp_metrics_headers: str | None = own("METRICS", "metrics", "headers")
    otlp_metrics_protocol: str | None = own("METRICS", "metrics", "protocol")
    otlp_metrics_compression: str | None = own("METRICS", "metrics", "compression")
    otlp_metrics_timeout: float | None = own("METRICS", "metrics", "timeout")
    otlp_logs_endpoint: str | None = own("LOGS", "log lines", "endpoint")
    otlp_logs_headers: str | None = own("LOGS", "log lines", "headers")
    otlp_logs_protocol: str | None = own("LOGS", "log lines", "protocol")
    otlp_logs_compression: str | None = own("LOGS", "log lines", "compression")
    otlp_logs_timeout: float | None = own("LOGS", "log lines", "timeout")
    traces_exporter: str = setting(
        "otlp",
        "Whether spans go to the receiver.",
        choice("otlp", "none"),
        live=True,
        platform="OTEL_TRACES_EXPORTER",
        platform_means=EXPORTERS,
    )
    metrics_exporter: str = setting(
        "otlp",
        "Whether metrics are pushed to the receiver, besides being served.",
        choice("otlp", "none"),
        live=True,
        platform="OTEL_METRICS_EXPORTER",
        platform_means=EXPORTERS,
    )
    metric_export_interval: float = setting(
        60.0,
        "Seconds from one push of metrics to the next.",
        SECONDS,
        live=True,
        platform="OTEL_METRIC_EXPORT_INTERVAL",
        platform_means=MILLISECONDS,
    )
    metric_export_timeout: float = setting(
        30.0,
        "Seconds after which a push of metrics makes no further request.",
        SECONDS,
        live=True,
        platform="OTEL_METRIC_EXPORT_TIMEOUT",
        platform_means=MILLISECONDS,
    )
    logs_exporter: str = setting(
        "none",
        "Whether log lines go to the receiver, besides where they go anyway.",
        choice("otlp", "none"),
        live=True,
        platform="OTEL_LOGS_EXPORTER",
        platform_means=EXPORTERS,
    )
    trace_sampler: str = setting(
        "parentbased_traceidratio",
        "Which traces are recorded, by OpenTelemetry's names; the parentbased ones follow what a caller has decided.",
        choice(
            *("parentbased_traceidratio", "parentbased_always_on", "parentbased_always_off"),
            *("traceidratio", "always_on", "always_off"),
        ),
        live=True,
        platform="OTEL_TRACES_SAMPLER",
    )
    trace_ratio: float = setting(
        1.0,
        "Share of traces that are recorded, where the sampler is one of ratios.",
        number("a number from 0 to 1", minimum=0, maximum=1),
        live=True,
        platform="OTEL_TRACES_SAMPLER_ARG",
    )
    traces_afterwards: float = setting(
        10.0,
        "Traces a second, at most, that runs of stages leave which were not recorded but failed or were slow; "
        "0 leaves none.",
        number("a number of traces, 0 or more", minimum=0),
        live=True,
    )
    slow_run_seconds: float | None = setting(
        None,
        "Seconds from which on such a run is slow; unset has each stage's own recent 99th percentile say so.",
        SECONDS,
        live=True,
    )
    health_interval: float = setting(
        30.0,
        "Seconds between two runs of a health check that sets no interval of its own.",
        SECONDS,
        live=True,
    )
    drain_time: float = setting(
        0.0,
        "Seconds that a program in a Life goes on with its work after it was told to end, not ready any more.",
        number("a number of seconds, 0 or more", minimum=0),
    )
    gc_thresholds: str | None = setting(
        None,
        "How often the garbage collector runs, as gc.set_threshold has it; unset leaves that to the program.",
        text("three whole numbers, such as 50000,20,100", r"\s*[0-9]{1,9}\s*,\s*[0-9]{1,9}\s*,\s*[0-9]{1,9}\s*"),
    )
    gc_freeze: bool = setting(
        False, "Whether the garbage collector leaves out for good what the program has loaded by its start.", FLAG
    )
    crash_report: str | None = setting(
        None,
        "File that a crash leaves a last report in: where each thread was, and the last figures; unset leaves none.",
        text("a path"),
    )
    memory_report: str | None = setting(
        None,
        "File that gets a report of the call sites that take ever more memory, once the process has grown for two "
        "hours; unset leaves none.",
        text("a path"),
    )
    logs: bool = setting(False, "Whether Manometer sets up the program's logging.", FLAG)
    log_level: str = setting(
        "info",
        "Least severe level that is logged.",
        choice("debug", "info", "warning", "error", "critical"),
        live=True,
    )
    log_format: str = setting("json", "Log lines for machines or for people.", choice("json", "console"))
    log_file: str | None = setting(
        None, "File that logs go to, kept in 10 MB pieces; unset logs to standard output.", text("a path")
    )
    reload_on_sighup: bool = setting(False, "Whether the signal SIGHUP has the settings read again.", FLAG)

    def __post_init__(self) -> None:
        mistakes = Mistakes()
        for name, each in declared(type(self)).items():
            mistakes.check(each, getattr(self, name), Source(Origin.CALL, f"Settings({name}=...)"))
        mistakes.refuse()

    def __repr__(self) -> str:
        parts = (f"{name}={shown(each, getattr(self, name))}" for name, each in declared(type(self)).items())
        return f"Settings({', '.join(parts)})"

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] = os.environ,
        *,
        profile: str | None = None,
        options: Mapping[str, Any] | None = None,
        **overrides: Unpack[SettingValues],
    ) -> Self:
        """Gather the settings: a later source wins over an earlier one.

        path: a YAML file with settings by name; by default the one that MANOMETER_CONFIG_FILE names.
        environ: MANOMETER_<NAME>, and MANOMETER_<NAME>_FILE of a secret.
        profile: which of the file's `profiles` counts over its top level; by default the one that MANOMETER_PROFILE
        names. options: what the command line gives, by name; None is for what it does not give.
        overrides: settings by name, the program's own word.
        Raises SettingsError, a ConfigError, naming the setting, where it came from and what is allowed. What a
        platform sets for others too (OpenTelemetry's variables, Kubernetes's for a service called manometer)
        is never an error: where it cannot be used, it is ignored with a warning.
        """
        return load(cls, None, path, environ, profile=profile, options=options, call=overrides).settings
