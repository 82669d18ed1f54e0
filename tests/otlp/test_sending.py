"""Spans follow the settings while the program runs; in a process of its own, which may have one tracer provider."""

import json
import subprocess
import sys

from waiting import DEADLINE

PROGRAM = """
import json, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from manometer import Manometer, Settings
from prometheus_client import CollectorRegistry

class Receiver(ThreadingHTTPServer):
    def __init__(self):
        self.got = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.server.got += [(span.name, self.headers["Authorization"]) for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

tracer = trace.get_tracer("test")

def spans(name, count=3):
    for _ in range(count):
        with tracer.start_as_current_span(name):
            pass

def settings(**more):
    return Settings(port=0, metrics_exporter="none", **more)

one, two = Receiver(), Receiver()
"""


def _run(program):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + program],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_spans_go_where_the_settings_say_by_then():
    """On, with other credentials, to another receiver, off, and on again: each span arrives once."""
    told, log = _run("""
with Manometer(settings(), registry=CollectorRegistry()) as running:
    spans("before")
    assert running.reload(settings(otlp_endpoint=one.url, otlp_headers="authorization=Bearer%20first"))
    spans("first")
    assert running.reload(settings(otlp_endpoint=one.url, otlp_headers="authorization=Bearer%20second"))
    spans("second")
    assert running.reload(settings(otlp_endpoint=two.url))
    spans("third")
    assert running.reload(settings(otlp_endpoint=two.url, trace_ratio=0.0))
    spans("none")
    assert running.reload(settings(otlp_endpoint=two.url, trace_ratio=1.0))
    spans("fourth")
    assert running.reload(settings())
    spans("off")
    assert running.reload(settings(otlp_endpoint=one.url))
    spans("fifth")
print(json.dumps([one.got, two.got]))
""")
    assert told[0] == [
        *([["first", "Bearer first"]] * 3),
        *([["second", "Bearer second"]] * 3),
        *([["fifth", None]] * 3),
    ]
    assert told[1] == [*([["third", None]] * 3), *([["fourth", None]] * 3)]
    assert log == ""


def test_credentials_in_a_file_are_read_again():
    """As they are replaced in time."""
    told, log = _run("""
import tempfile, pathlib
from functools import partial
token = pathlib.Path(tempfile.mkdtemp(), "token")
load = partial(Settings.load, environ={
    "MANOMETER_PORT": "0", "MANOMETER_METRICS_EXPORTER": "none",
    "MANOMETER_OTLP_ENDPOINT": one.url, "MANOMETER_OTLP_HEADERS_FILE": str(token),
})
token.write_text("authorization=Bearer%20first")
with Manometer(load=load, registry=CollectorRegistry()) as running:
    spans("first")
    token.write_text("authorization=Bearer%20second")
    assert running.reload()
    spans("second")
    token.write_text("hunter2")
    assert not running.reload()
    spans("third")
print(json.dumps(one.got))
""")
    assert told == [
        *([["first", "Bearer first"]] * 3),
        *([["second", "Bearer second"]] * 3),
        *([["third", "Bearer second"]] * 3),
    ]
    assert "otlp_headers is wrong in variable MANOMETER_OTLP_HEADERS_FILE, and not shown" in log
    assert "hunter2" not in log


def test_open_telemetry_s_own_variable_counts_where_the_setting_is_unset():
    """As before there was one; the setting is added to those headers."""
    told, _ = _run("""
import os
os.environ["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=theirs"
with Manometer(settings(otlp_endpoint=one.url), registry=CollectorRegistry()) as running:
    spans("theirs", 1)
    assert running.reload(settings(otlp_endpoint=one.url, otlp_headers="authorization=ours"))
    spans("ours", 1)
print(json.dumps(one.got))
""")
    assert told == [["theirs", "theirs"], ["ours", "ours"]]


def test_a_program_with_a_provider_of_its_own_keeps_it():
    """Nothing is sent from here, before and after a reload."""
    told, log = _run("""
import logging
logging.basicConfig()
from opentelemetry.sdk.trace import TracerProvider
own = TracerProvider()
trace.set_tracer_provider(own)
with Manometer(settings(otlp_endpoint=one.url), registry=CollectorRegistry()) as running:
    assert running.reload(settings(otlp_endpoint=two.url))
    spans("own")
print(json.dumps([one.got, two.got, trace.get_tracer_provider() is own]))
""")
    assert told == [[], [], True]
    assert log.count("the program has a tracer provider of its own") == 1


def test_failed_and_slow_runs_leave_their_traces_though_none_is_recorded():
    """Twenty failures and a slow run are twenty-one traces; the runs that were well are none."""
    told, _ = _run("""
from contextlib import suppress
from time import sleep
from manometer import stage

registry = CollectorRegistry()

@stage("inner", registry=registry)
def inner(seconds):
    sleep(seconds)

@stage("outer", registry=registry)
def outer(seconds, error=None):
    inner(seconds)
    if error is not None:
        raise error

with Manometer(settings(otlp_endpoint=one.url, trace_ratio=0.0, slow_run_seconds=0.5), registry=registry):
    for number in range(20):
        for _ in range(10):
            outer(0)
        with suppress(KeyError):
            outer(0, KeyError(number))
    outer(0.6)
    left = registry.get_sample_value("manometer_traces_afterwards_total", {"manometer_trace_outcome": "left"})
print(json.dumps([sorted(name for name, _ in one.got), left]))
""")
    assert told == [["inner"] * 21 + ["outer"] * 21, 21]


def test_the_standard_variable_names_the_sampler():
    """`always_off` sends nothing, whatever fails; a ratio has its argument."""
    told, _ = _run("""
import os
from contextlib import suppress
from manometer import stage

def sent(**variables):
    registry, before = CollectorRegistry(), len(one.got)
    loaded = Settings.load(environ=variables, port=0, metrics_exporter="none", otlp_endpoint=one.url)
    with Manometer(loaded, registry=registry):
        for _ in range(50):
            spans("theirs", 1)
            with suppress(KeyError), stage("ours", registry=registry):
                raise KeyError
    return len(one.got) - before

print(json.dumps([
    sent(OTEL_TRACES_SAMPLER="always_off"),
    sent(OTEL_TRACES_SAMPLER="parentbased_always_on"),
    sent(OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="0"),
]))
""")
    assert told == [0, 100, 50]


def test_spans_tell_of_the_service_the_host_and_the_interpreter():
    """What the environment says of the service counts; the rest is found out."""
    told, _ = _run("""
import os, platform, socket
os.environ["OTEL_RESOURCE_ATTRIBUTES"] = "service.version=1.2.3,host.name=elsewhere"
with Manometer(settings(otlp_endpoint=one.url, service_name="orders"), registry=CollectorRegistry()):
    found = trace.get_tracer_provider().resource.attributes
names = ("service.name", "service.version", "host.name", "process.runtime.version", "telemetry.sdk.language")
print(json.dumps([found.get(name) for name in names] + [platform.python_version()]))
""")
    version = told.pop()
    assert told == ["orders", "1.2.3", "elsewhere", version, "python"]
