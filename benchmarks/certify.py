"""Certifies ALL-USE: runs it with a real Prometheus, and checks what its makers published of it: make certify

It takes about four minutes. The certificates go to benchmarks/certificates/; the exit status is that of
`manometer certify`, 1 where a promise is broken.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alluse.inbox import Inbox
from alluse.stack import Stack
from manometer.cli import main as manometer

_ROOT = Path(__file__).parents[1]
_PROMISES = Path(__file__).parent / "promises"
_CERTIFICATES = Path(__file__).parent / "certificates"
_ALLUSE = ("-m", "alluse", "run", "--port", "0", "--control-port", "0")
_START = 60.0  # seconds that the engine may take
_CALM, _FAULT, _RECOVERED, _FULL = 20.0, 40.0, 75.0, 40.0


def main() -> int:
    """Certify each load; 1 where one of them breaks a promise."""
    statuses = []
    with _observed(*_ALLUSE, "--rate", "40") as (prometheus, faults):
        _wait(_CALM, "at a steady load")
        _switch(f"{faults}/failing-broker?rate=0.4&seconds={_FAULT:g}")
        _wait(_FAULT, "while the broker fails")
        _wait(_RECOVERED, "after that")
        statuses.append(_certify(prometheus, "steady"))
    with _observed(*_ALLUSE, "--rate", "5000", "--book", "none", delay=0.0) as (prometheus, _):
        _wait(_FULL, "at full load")
        statuses.append(_certify(prometheus, "full_load"))
    with _observed(str(Path(__file__).with_name("reads.py"))) as (prometheus, _):
        _wait(_FULL, "of reads alone")
        statuses.append(_certify(prometheus, "reads"))
    return max(statuses)


@contextmanager
def _observed(*arguments: str, delay: float | None = None) -> Iterator[tuple[str, str]]:
    """A program with a Prometheus that scrapes it every second: where that is, and where faults are switched on.

    arguments: Python's; delay: seconds that the human takes to answer.
    """
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="alluse-certify-")))
        log = folder / "log"
        environ = {} if delay is None else {"ALLUSE_APPROVAL_DELAY": str(delay)}
        engine = started.enter_context(_running([sys.executable, *arguments], log, environ))
        metrics, faults = _addresses(log, engine)
        inbox = started.enter_context(Inbox(port=0, heard=_unheard, refused=_unheard))
        address = metrics.partition("//")[2].removesuffix("/metrics")
        stack = started.enter_context(Stack(_ROOT, engine=address, inbox=inbox.address, every=1))
        yield stack.prometheus_url, faults


@contextmanager
def _running(command: list[str], log: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent, env={**os.environ, **environ}
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _addresses(log: Path, engine: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Where the engine's figures and faults are, as its log says."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and engine.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"ALL-USE runs"' in line:
                told = json.loads(line)
                return told["metrics"], told["faults"]
        time.sleep(0.1)
    sys.exit(f"the engine does not run; it said\n{log.read_text(encoding='utf-8')[-2000:]}")


def _certify(prometheus: str, name: str) -> int:
    out = _CERTIFICATES / name
    return manometer(
        ["certify", "--prometheus", prometheus, "--against", str(_PROMISES / f"{name}.yaml"), "--out", str(out)]
    )


def _switch(url: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10):
        pass


def _wait(seconds: float, why: str) -> None:
    sys.stderr.write(f"{seconds:g} s {why}\n")
    time.sleep(seconds)


def _unheard(_: object) -> None:
    """Alerts are not what is certified."""


if __name__ == "__main__":
    sys.exit(main())
