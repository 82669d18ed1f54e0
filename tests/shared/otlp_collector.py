"""A real OTLP collector, for the tests of what is sent to it."""

import socket
import subprocess
from contextlib import contextmanager

import pytest

from ports import reserved_port
from waiting import DEADLINE, until

__all__ = ["collecting", "collecting_spans", "forwarding"]


@contextmanager
def collecting_spans(program, folder):
    """A real OTLP collector that writes down what it gets; yields its base URL and that file."""
    with collecting(program, folder, "traces") as (url, _, output):
        yield url, output


@contextmanager
def collecting(program, folder, kind):
    """The same for `traces` or `logs`; yields its URL over HTTP and over gRPC, and that file."""
    written = ("--exporter", "blackhole", "--debug-log", kind, "--debug-log-verbosity", "detailed")
    with _running(program, folder, written) as (http, grpc, output):
        yield http, grpc, output


@contextmanager
def forwarding(program, folder, url):
    """A real OTLP collector that hands what it gets on to that URL; yields its own, over HTTP and over gRPC."""
    on = ("--exporter", "otlp", "--otlp-exporter-endpoint", url, "--otlp-exporter-protocol", "http")
    with _running(program, folder, on) as (http, grpc, _):
        yield http, grpc


@contextmanager
def _running(program, folder, arguments):
    output = folder / "collector.txt"
    with reserved_port() as port, reserved_port() as other, output.open("wb") as out:
        process = subprocess.Popen(
            [
                *(program, "start", *arguments),
                *("--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{other}"),
                *("--pid-file", str(folder / "pid"), "--log-file", str(folder / "log")),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
        try:
            until(lambda: (_listens(port) and _listens(other)) or _dead(process, output))
            yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}", output
        finally:
            process.terminate()
            process.wait(DEADLINE)


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _dead(process, output):
    """Fails with what the process said, where it has ended."""
    status = process.poll()
    if status is not None:
        pytest.fail(f"the collector ended with {status} and said\n{output.read_text()}")
