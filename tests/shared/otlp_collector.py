"""A real OTLP collector, for the tests of what is sent to it."""

import socket
import subprocess
from contextlib import contextmanager

import pytest

from ports import reserved_port
from waiting import DEADLINE, until

__all__ = ["collecting_spans"]


@contextmanager
def collecting_spans(program, folder):
    """A real OTLP collector that writes down what it gets; yields its base URL and that file."""
    output = folder / "spans.txt"
    with reserved_port() as port, reserved_port() as other, output.open("wb") as out:
        process = subprocess.Popen(
            [
                *(program, "start", "--exporter", "blackhole"),
                *("--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{other}"),
                *("--debug-log", "traces", "--debug-log-verbosity", "detailed"),
                *("--pid-file", str(folder / "pid"), "--log-file", str(folder / "log")),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
        try:
            until(lambda: _listens(port) or _dead(process, output))
            yield f"http://127.0.0.1:{port}", output
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
