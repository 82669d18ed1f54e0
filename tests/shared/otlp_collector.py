"""A real OTLP collector, for the tests of what is sent to it."""

import signal
import socket
import subprocess
from contextlib import contextmanager

import pytest

from ports import reserved_port
from waiting import DEADLINE, until

__all__ = ["Collector", "collecting", "collecting_spans", "forwarding"]


@contextmanager
def collecting_spans(program, folder):
    """A real OTLP collector that writes down what it gets; yields its base URL and that file."""
    with collecting(program, folder, "traces") as (url, _, output):
        yield url, output


@contextmanager
def collecting(program, folder, kind):
    """The same for `traces` or `logs`; yields its URL over HTTP and over gRPC, and that file."""
    written = ("--exporter", "blackhole", "--debug-log", kind, "--debug-log-verbosity", "detailed")
    with _running(program, folder, written) as collector:
        yield collector.http, collector.grpc, collector.output


@contextmanager
def forwarding(program, folder, url):
    """A real OTLP collector that hands what it gets on to that URL."""
    on = ("--exporter", "otlp", "--otlp-exporter-endpoint", url, "--otlp-exporter-protocol", "http")
    with _running(program, folder, on) as collector:
        yield collector


@contextmanager
def _running(program, folder, arguments):
    with reserved_port() as port, reserved_port() as other:
        collector = Collector(program, folder, arguments, port, other)
        collector.start()
        try:
            yield collector
        finally:
            collector.end()


class Collector:
    """http, grpc: its URLs, the same after a new start. output: the file of what it says."""

    def __init__(self, program, folder, arguments, port, other):
        self.http, self.grpc = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"
        self.output = folder / "collector.txt"
        self._ports, self._folder = (port, other), folder
        self._command = [
            *(program, "start", *arguments),
            *("--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{other}"),
            *("--pid-file", str(folder / "pid"), "--log-file", str(folder / "log")),
        ]

    def start(self):
        """Start it, and wait until it listens."""
        with self.output.open("ab") as out:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=subprocess.STDOUT, cwd=self._folder)
        until(lambda: all(map(_listens, self._ports)) or self._dead())

    def kill(self):
        """End it at once, with whatever it has not handed on."""
        self._process.kill()
        self._process.wait(DEADLINE)

    def pause(self):
        """Have it do nothing: the kernel goes on to take connections in its name."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        """End a pause."""
        self._process.send_signal(signal.SIGCONT)

    def end(self):
        """End it in order."""
        self.go_on()
        self._process.terminate()
        self._process.wait(DEADLINE)

    def _dead(self):
        """Fails with what the process said, where it has ended."""
        status = self._process.poll()
        if status is not None:
            pytest.fail(f"the collector ended with {status} and said\n{self.output.read_text()}")


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
