"""The engine as a process, and Prometheus, Alertmanager and PostgreSQL beside it: what the tests here share."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from alluse.inbox import Inbox
from alluse.stack import Stack, missing_programs
from posted import Catcher
from postgres_server import postgres_server
from waiting import DEADLINE

ROOT = Path(__file__).parents[2]
SCRAPED_EVERY = 1  # seconds, in the place of compose's 5
RATE = 40  # workflows a second: of a hundred, one asks the human, and a test waits for an inbox full of questions


def get(url, method="GET", document=None):
    """The text that an HTTP request is answered with, whatever its status. document: sent as JSON."""
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def await_answer(ask, seconds, what):
    """The first truthy answer; fails with `what`, called where it is a function, when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.25)


class SpanSink:
    """An OTLP/HTTP receiver that keeps the ids of the traces it gets."""

    def __init__(self):
        self.trace_ids = set()
        catcher = Catcher(self._take)
        self.url, self.close = catcher.url, catcher.close

    def _take(self, path, headers, body):
        if path != "/v1/traces":
            return
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.trace_ids.update(span.trace_id.hex() for span in scope.spans)


class EngineProcess:
    """`alluse run` on free ports."""

    def __init__(self, folder, *arguments):
        self.log = folder / "engine.log"
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("MANOMETER_", "OTEL_"))}
        environ["MANOMETER_METRIC_EXPORT_INTERVAL"] = "2"  # so that there is something to see of what is pushed
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "alluse",
                    "run",
                    "--port",
                    "0",
                    "--control-port",
                    "0",
                    *arguments,
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environ,
                cwd=folder,
            )
        started = await_answer(self._started, 60, lambda: f"the engine's start; it said\n{self.said()}")
        self.metrics_url, self.faults_url = started["metrics"], started["faults"]

    @property
    def address(self):
        return urllib.parse.urlsplit(self.metrics_url).netloc

    def said(self):
        """The log so far."""
        return self.log.read_text(encoding="utf-8")

    def _started(self):
        if self.process.poll() is not None:
            pytest.fail(f"the engine ended with {self.process.returncode} and said\n{self.said()}")
        lines = [line for line in self.said().splitlines() if line.endswith("}") and '"ALL-USE runs"' in line]
        return json.loads(lines[0]) if lines else None

    def figures(self):
        """What /metrics says, by the text of the series."""
        lines = [line for line in get(self.metrics_url).splitlines() if line and not line.startswith("#")]
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}

    def switch(self, fault, on):
        """Switch a fault on or off by the control endpoint."""
        state = json.loads(get(f"{self.faults_url}/{fault}", "PUT" if on else "DELETE"))
        assert state[fault]["on"] is on

    def stop(self):
        """End it as Ctrl-C does; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@pytest.fixture(scope="session")
def eventually():
    """Waits for the first truthy answer of a function: eventually(ask, seconds, what)."""
    return await_answer


@pytest.fixture(scope="session")
def root():
    """The repository's folder."""
    return ROOT


class Sample(NamedTuple):
    """One series of a query's answer, with the values that it had."""

    labels: dict[str, str]
    values: list[float]

    @property
    def finite(self):
        return all(math.isfinite(value) for value in self.values)


class World:
    """The engine, where its spans go, the stack on compose's own files, and the inbox that alerts go to."""

    def __init__(self, engine, spans, stack, inbox):
        self.engine, self.spans, self.stack, self.inbox = engine, spans, stack, inbox

    def api(self, path, **parameters):
        """The data that Prometheus answers."""
        url = f"{self.stack.prometheus_url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        answer = json.loads(get(url))
        assert answer["status"] == "success", f"{answer.get('error')}: {parameters}"
        return answer["data"]

    def query(self, promql):
        """The series of an expression now."""
        found = self.api("query", query=promql)["result"]
        return [Sample(each["metric"], [float(each["value"][1])] if "value" in each else []) for each in found]

    def query_past(self, promql, seconds=60, step=5):
        """The series of an expression over the last seconds."""
        now = time.time()
        found = self.api("query_range", query=promql, start=now - seconds, end=now, step=step)["result"]
        # A native histogram has no values, but `histograms`.
        return [Sample(each["metric"], [float(value) for _, value in each.get("values", ())]) for each in found]

    def delivered(self, alert, status):
        """What the inbox got of an alert."""
        found = self.inbox.deliveries
        return [each for each in found if each.labels["alertname"] == alert and each.status == status]

    def alertmanager(self, *alerts):
        """Have Alertmanager take alerts, by their labels; all that it has, each with its status."""
        url = f"{self.stack.alertmanager_url}/api/v2/alerts"
        if alerts:
            assert get(url, "POST", [{"labels": labels} for labels in alerts]) == ""
        return json.loads(get(url))

    def alertmanager_groups(self):
        """What Alertmanager tells of together: each group with its receiver, labels and alerts."""
        return json.loads(get(f"{self.stack.alertmanager_url}/api/v2/alerts/groups"))

    def firing(self):
        """The alerts that are pending or firing in Prometheus, for a failure's message."""
        return [(each["labels"], each["state"]) for each in self.api("alerts")["alerts"]]


@pytest.fixture(scope="session")
def span_sink():
    """What makes a receiver of spans, for a file with a world of its own."""
    return SpanSink


@pytest.fixture(scope="session")
def engine_process():
    """What starts an engine in a folder, for a file with a world of its own."""
    return EngineProcess


@pytest.fixture(scope="session")
def world_of():
    """What makes a world of its parts."""
    return World


@pytest.fixture(scope="session")
def world():
    """One of it for all the tests, which therefore run in one process."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install {' '.join(missing)})")
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="manometer-e2e-")))
        spans = SpanSink()
        started.callback(spans.close)
        engine = EngineProcess(folder, "--otlp", spans.url, "--rate", str(RATE))
        started.callback(engine.stop)
        refused = []
        inbox = started.enter_context(Inbox(port=0, heard=lambda alert: None, refused=refused.append))
        stack = started.enter_context(Stack(ROOT, engine=engine.address, inbox=inbox.address, every=SCRAPED_EVERY))
        world = World(engine, spans, stack, inbox)
        await_answer(lambda: world.query('up{job="alluse"} == 1'), 30, "a scrape of the engine")
        yield world
        assert refused == []


@pytest.fixture
def postgres():
    """A PostgreSQL that runs."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def start_engine(tmp_path):
    """Starts an engine with arguments; it ends with the test."""
    with ExitStack() as started:

        def start(*arguments):
            engine = EngineProcess(tmp_path, *arguments)
            started.callback(engine.stop)
            return engine

        yield start
