"""Spans reach an OTLP receiver, and are counted where they do not; each in a process of its own.

OpenTelemetry allows for one tracer provider in a process, so none of this may happen in the test's own.
"""

import json
import subprocess
import sys

import pytest

from manometer import checks
from otlp_collector import collecting_spans
from ports import reserved_port
from waiting import DEADLINE, until

PROGRAM = """
import json, sys, time
from opentelemetry import trace
from prometheus_client import CollectorRegistry
from manometer.registry.collection import as_metric, collect

registry = CollectorRegistry()
tracer = trace.get_tracer("test")  # before any provider: instrumentations hold theirs from import on

def spans(count, name="place_order"):
    for _ in range(count):
        with tracer.start_as_current_span(name):
            pass

def counted(registry=registry):
    return {
        sample.labels["manometer_otlp_span_outcome"]: sample.value
        for family in map(as_metric, collect(registry))
        for sample in family.samples if sample.name == "manometer_otlp_spans_total"
    }

def tell(**what):
    print(json.dumps(what))
"""


def _run(program, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + program, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.servers
def test_spans_reach_a_receiver_across_a_restart(collector, tmp_path):
    """Name and service arrive; after a close nothing is sent; started again, spans arrive again."""
    program = """
from manometer.otlp.destination import Destination
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling
first = Spans(Destination(sys.argv[1] + "/v1/traces"), Sampling(1.0), "orders", registry)
spans(3, "while_on")
first.close()
first.close()
spans(2, "while_off")
other = CollectorRegistry()
second = Spans(Destination(sys.argv[1] + "/v1/traces"), Sampling(1.0), "orders", other)
spans(4, "on_again")
second.close()
tell(first=counted(), second=counted(other))
"""
    with collecting_spans(collector, tmp_path) as (url, output):
        told, _ = _run(program, url)
        until(lambda: output.read_text().count("Name           : on_again") == 4)
    text = output.read_text()
    assert told == {"first": {"ok": 3}, "second": {"ok": 4}}
    assert text.count("Name           : while_on") == 3
    assert "while_off" not in text
    assert "service.name: Str(orders)" in text


def test_a_receiver_is_reached_by_its_check(collector, tmp_path):
    """As long as it runs."""
    with collecting_spans(collector, tmp_path) as (url, _):
        check = checks.otlp(url)
        assert check().problem is None
    with pytest.raises(ConnectionRefusedError):
        check()


def test_a_collector_that_does_not_start_fails_its_test_at_once(tmp_path):
    """With what it said: here, that a library is not there."""
    broken = tmp_path / "collector"
    broken.write_text("#!/bin/sh\necho a library is missing\nexit 127\n")
    broken.chmod(0o755)
    with (
        pytest.raises(pytest.fail.Exception, match="the collector ended with 127 and said\na library is missing"),
        collecting_spans(str(broken), tmp_path),
    ):
        pass


@pytest.mark.servers
def test_the_ratio_decides_which_traces_are_recorded(collector, tmp_path):
    """None at 0; and a part at a half, each with all its spans."""
    program = """
from manometer.otlp.destination import Destination
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling
for ratio in (0.0, 0.5):
    on = Spans(Destination(sys.argv[1] + "/v1/traces"), Sampling(ratio), "orders", registry)
    for _ in range(200):
        with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
            pass
    on.close()
    if not ratio:
        assert counted() == {}, counted()
tell(**counted())
"""
    with collecting_spans(collector, tmp_path) as (url, _):
        told, _ = _run(program, url)
    assert 40 < told["ok"] / 2 < 160
    assert told["ok"] % 2 == 0


def test_a_dead_receiver_is_a_counted_loss_and_one_line():
    """More spans than the queue holds: every one is counted as lost, none twice, and no traceback is logged."""
    program = """
import logging
logging.basicConfig(level="INFO")
from manometer.otlp import delivery
from manometer.otlp.destination import Destination
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling
delivery.FLUSH_SECONDS = 0.2
on = Spans(Destination(f"http://127.0.0.1:{sys.argv[1]}/v1/traces"), Sampling(1.0), "orders", registry)
spans(3000)
on.close()
tell(**counted())
"""
    with reserved_port() as nobody_s:
        told, log = _run(program, str(nobody_s))
    assert told == {"error": 3000}
    assert log.count("spans do not reach http://127.0.0.1:") == 1
    assert "Traceback" not in log
    assert "opentelemetry.exporter" not in log


def test_the_program_s_own_provider_is_left_alone():
    """Where the program has set one, its spans go where it sends them, and a line says so."""
    program = """
import logging
logging.basicConfig()
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
own = TracerProvider()
memory = InMemorySpanExporter()
own.add_span_processor(SimpleSpanProcessor(memory))
trace.set_tracer_provider(own)
from manometer.otlp.destination import Destination
from manometer.otlp.spans import Spans
from manometer.tracing.sampling import Sampling
on = Spans(Destination(f"http://127.0.0.1:{sys.argv[1]}/v1/traces"), Sampling(1.0), "orders", registry)
spans(2)
on.close()
spans(1)
tell(own=len(memory.get_finished_spans()), same=trace.get_tracer_provider() is own, counted=counted(), sends=on.sends)
"""
    with reserved_port() as nobody_s:
        told, log = _run(program, str(nobody_s))
    assert told == {"own": 3, "same": True, "counted": {}, "sends": False}
    assert "the program has a tracer provider of its own" in log


def test_a_missing_extra_is_named():
    """Without OpenTelemetry's SDK the error says what to install."""
    program = """
sys.modules["opentelemetry.sdk.trace"] = None
from manometer.errors import ConfigError
try:
    import manometer.otlp.spans
except ConfigError as error:
    tell(error=str(error))
"""
    told, _ = _run(program)
    assert told == {"error": "the OTLP exporter needs an extra: pip install 'manometer[otlp]'"}
