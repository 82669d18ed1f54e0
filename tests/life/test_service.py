"""A service under load that is told to end, as a process: what others see of it, and what it leaves behind."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families

from manometer.exposition.render import render
from manometer.processes import onlooker
from otlp_collector import collecting_spans
from waiting import DEADLINE, joined, until

pytestmark = pytest.mark.servers

SERVICE = """
import json, sys, time
from pathlib import Path
from threading import Event, Thread

import manometer

here, otlp = Path(sys.argv[1]), sys.argv[2]
orders = manometer.Counter("orders", "Orders.")
slow = manometer.Gauge("slow", "Takes its time, where a file says so.")


def read_slowly():
    if (here / "slow").exists():
        (here / "reading").touch()
        while not (here / "may").exists():
            time.sleep(0.01)
    return 1.0


slow.set_function(read_slowly)


class Load:
    def __enter__(self):
        self.ends = Event()
        self.threads = [Thread(target=self.work) for _ in range(4)]
        for each in self.threads:
            each.start()
        return self

    def work(self):
        while not self.ends.wait(0.02):
            with manometer.stage("order", engine="shop"):
                orders.inc()

    def __exit__(self, *exc):
        (here / "stops").touch()
        while not (here / "may").exists():  # what is under way takes that long
            time.sleep(0.01)
        self.ends.set()
        for each in self.threads:
            each.join()
        with manometer.stage("goodbye", engine="shop"):
            pass


settings = manometer.Settings.load(
    port=0, processes_dir=str(here / "group"), otlp_endpoint=otlp, drain_time=0.2, collector_timeout=100.0
)
with manometer.Life(settings) as life:
    metrics = life.start(manometer.Manometer(settings))
    print(metrics.url, flush=True)
    life.start(Load())
    life.ready()
    life.wait()
print("ended", flush=True)
"""


def _get(url, path):
    """Status and text of an answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=DEADLINE)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@contextmanager
def _service(folder, otlp, **environment):
    """The service, and its address."""
    command = [sys.executable, "-c", SERVICE, str(folder), otlp]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=os.environ | environment, text=True, **pipes) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            if process.poll() is None:
                process.kill()


def _figures(text):
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_told_to_end_loses_nothing(collector, tmp_path, number):
    """It is not ready any more, serves on, ends its work, answers, and leaves its spans and its last figures."""
    path = tmp_path / "notify"
    with (
        closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd,
        collecting_spans(collector, tmp_path) as (otlp, spans),
    ):
        systemd.bind(str(path))
        systemd.settimeout(DEADLINE)
        environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "600000000"}
        with _service(tmp_path, otlp, **environment) as (process, url):
            until(lambda: _get(url, "/readyz")[0] == 200)
            assert systemd.recv(1000).startswith(b"READY=1\n")
            assert systemd.recv(1000) == b"WATCHDOG=1"
            until(lambda: _figures(_get(url, "/metrics")[1])["orders_total"] > 20)

            process.send_signal(number)
            until(lambda: _get(url, "/readyz")[0] == 503)
            assert systemd.recv(1000).decode() == f"STOPPING=1\nSTATUS=stopping: {number.name}"
            assert _get(url, "/readyz")[1] == "the program is stopping\nnot ready\n"
            assert _get(url, "/livez")[0] == _get(url, "/startupz")[0] == 200
            until((tmp_path / "stops").exists)
            before = _figures(_get(url, "/metrics")[1])["orders_total"]
            until(lambda: _figures(_get(url, "/metrics")[1])["orders_total"] > before)  # it works on meanwhile

            answers = []
            (tmp_path / "slow").touch()
            scrape = threading.Thread(target=lambda: answers.append(_get(url, "/metrics")))
            scrape.start()
            until((tmp_path / "reading").exists)
            (tmp_path / "may").touch()
            joined(scrape)
            assert process.stdout.read() == "ended\n"
            assert (process.wait(DEADLINE), process.stderr.read()) == (0, "")
        (answer,) = answers
        assert answer[0] == 200
        until(lambda: "Name           : goodbye" in spans.read_text(), spans.read_text)
    last = _figures(render(onlooker(tmp_path / "group"))[0].decode())
    assert last["orders_total"] >= _figures(answer[1])["orders_total"] > before
