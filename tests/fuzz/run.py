"""Send an exporter what no client should: `python tests/fuzz/run.py --seconds 3600 --seed 7`.

Clients send requests of all shapes, slowly, in part, many at once, and take the answers in or do not. Meanwhile the
process has to live, its probes and scrapes to be answered, its threads, descriptors and memory to stay bounded, and
nothing is to be logged as a fault. The same seed sends the same requests; when they arrive, no seed decides.
"""

import argparse
import json
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from record import PATH  # noqa: E402
from shapes import request  # noqa: E402

from manometer.serving.places import places  # noqa: E402
from manometer.serving.server import SPARE  # noqa: E402
from manometer.serving.site import SCRAPES  # noqa: E402

CLIENTS = 4
THREADS = SCRAPES + 2 * SPARE + 16
"""Threads that the process may have: those that answer or shake hands, those of the exporter, and collectors."""
DESCRIPTORS = sum(places()) + SCRAPES + 2 * SPARE + 48
GROWTH = 150 << 20
"""Bytes of memory that the process may have more than when it was asked first."""
LINGERING = 40
"""Connections that a client keeps open and neither ends nor serves."""
_ANSWER = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_FAULTS = re.compile(r"Traceback|Exception|\bERROR\b|CRITICAL")


class BrokenError(AssertionError):
    """What the exporter is never to do."""


class Figures(NamedTuple):
    """What the process takes."""

    threads: int
    descriptors: int
    memory: int

    @classmethod
    def of(cls, process: int) -> "Figures":
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":\t" in line
        )
        descriptors = len(list(Path(f"/proc/{process}/fd").iterdir()))
        return cls(int(status["Threads"]), descriptors, int(status["VmRSS"].split()[0]) << 10)

    def most(self, other: "Figures") -> "Figures":
        return Figures(*map(max, self, other))


class Exporter:
    """The process, and what is asked of it in between. patience: seconds for an answer."""

    def __init__(self, process: "subprocess.Popen[str]", log: IO[str], patience: float) -> None:
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()
        parts = urlsplit(self.url)
        self.address = (str(parts.hostname), int(parts.port or 0))
        self._process, self._log, self._patience = process, log, patience
        self._events = 0.0
        self.scrape()
        self.first = self.most = Figures.of(process.pid)

    def check(self) -> None:
        """Raises BrokenError where the exporter is not as it has to be."""
        if self._process.poll() is not None:
            raise BrokenError(f"the process ended with {self._process.returncode}: {self._logged()}")
        if self._get("/livez") != "ok\n":
            raise BrokenError("/livez is not ok")
        self.scrape()
        found = Figures.of(self._process.pid)
        self.most = self.most.most(found)
        if found.threads > THREADS or found.descriptors > DESCRIPTORS or found.memory > self.first.memory + GROWTH:
            raise BrokenError(f"{found}, and at first {self.first}")
        logged = self._logged()
        if _FAULTS.search(logged):
            raise BrokenError(f"it logged {logged}")

    def scrape(self) -> None:
        """A scrape as it should be: it parses, and no total falls. A collector may miss it that had no time."""
        deadline = time.monotonic() + self._patience
        while True:
            families = {family.name: family for family in text_string_to_metric_families(self._get("/metrics"))}
            if {"events", "work_seconds"} <= families.keys():
                break
            if time.monotonic() >= deadline:
                raise BrokenError(f"there are only {[*families]}")
        (events,) = (s.value for s in families["events"].samples if s.name == "events_total")
        if events < self._events:
            raise BrokenError(f"events fell from {self._events} to {events}")
        self._events = events
        if sum(s.name == "work_seconds_count" for s in families["work_seconds"].samples) > 40:
            raise BrokenError("there are more series than were made")

    def _get(self, path: str) -> str:
        """The body. Others may have all connections at times: it is tried until the patience ends."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                with urllib.request.urlopen(self.url + path, timeout=self._patience) as answer:
                    return str(answer.read().decode())
            except OSError as error:  # refused with 503, or made room for another
                if time.monotonic() >= deadline:
                    raise BrokenError(
                        f"{path} was not answered in {self._patience:g} s: {error!r}; {self._logged()}"
                    ) from None
                time.sleep(0.05)

    def _logged(self) -> str:
        return self._log.read()


class Client:
    """Sends requests, and keeps the last ones to tell of."""

    def __init__(self, address: tuple[str, int], seed: str) -> None:
        self._address = address
        self._chance = random.Random(seed)
        self._lingering: deque[socket.socket] = deque()
        self.last: deque[bytes] = deque(maxlen=8)
        self.answers: Counter[str] = Counter()
        self.sent = 0

    def one(self) -> None:
        """Send one, in one of the ways that clients have. Raises BrokenError for an answer that none may have."""
        sent, way = request(self._chance), self._chance.random()
        self.last.append(sent)
        self.sent += 1
        connection = socket.socket()
        connection.settimeout(0.5)
        if way < 0.1:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        try:
            connection.connect(self._address)
            if way < 0.1:
                sent = b"GET /metrics HTTP/1.1\r\n\r\n" * 8
                connection.sendall(sent)
                self._keep(connection)  # and read nothing
            elif way < 0.2:
                for at in range(self._chance.randrange(12)):
                    connection.sendall(sent[at : at + 1])
                    time.sleep(self._chance.random() * 0.02)
                self._keep(connection)
            elif way < 0.3:
                connection.sendall(sent)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
                connection.close()
            else:
                connection.sendall(sent)
                if way < 0.8:
                    connection.shutdown(socket.SHUT_WR)
                self._take(connection, is_bare=b"HTTP/0.9" in sent)
                connection.close()
        except OSError as error:
            self.answers[type(error).__name__] += 1
            connection.close()

    def close(self) -> None:
        """Let go of the connections."""
        for each in self._lingering:
            each.close()

    def _keep(self, connection: socket.socket) -> None:
        self._lingering.append(connection)
        while len(self._lingering) > LINGERING // CLIENTS:
            self._lingering.popleft().close()

    def _take(self, connection: socket.socket, *, is_bare: bool) -> None:
        """is_bare: whether the answer may be without a status, as in the first version of HTTP."""
        parts = []
        while len(parts) < 200 and (part := connection.recv(65_536)):
            parts.append(part)
        answer = b"".join(parts)
        found = _ANSWER.match(answer)
        kind = found[1].decode() if found else "without a status" if answer else "none"
        self.answers[kind] += 1
        if kind == "500" or (kind == "without a status" and not is_bare):
            raise BrokenError(f"answered with {answer[:500]!r}")


@contextmanager
def exporting(seed: int, patience: float) -> Iterator[Exporter]:
    """A fresh exporter in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        log = Path(place) / "log"
        with log.open("w") as written, log.open() as read:
            command = [sys.executable, str(HERE / "exporter.py"), str(seed)]
            pipe = subprocess.PIPE
            with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=written, text=True) as process:
                try:
                    yield Exporter(process, read, patience)
                finally:
                    assert process.stdin is not None
                    process.stdin.close()
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(patience)
                    process.kill()


def fuzz(
    seed: int, *, seconds: float | None = None, requests: int | None = None, patience: float = 30.0
) -> dict[str, Any]:
    """Go on for that long, or for so many requests of each client; what came of it. Raises BrokenError."""
    ends, broken = Event(), deque[tuple[Client | None, BaseException]]()
    began = time.monotonic()
    with exporting(seed, patience) as exporter:
        clients = [Client(exporter.address, f"{seed} {number}") for number in range(CLIENTS)]

        def send(client: Client) -> None:
            with closing(client):
                try:
                    while not ends.is_set() and (requests is None or client.sent < requests):
                        client.one()
                except BaseException as error:
                    broken.append((client, error))

        threads = [Thread(target=send, args=(client,)) for client in clients]
        for each in threads:
            each.start()
        checks = 0
        try:
            while any(each.is_alive() for each in threads) and not broken:
                exporter.check()
                checks += 1
                if seconds is not None and time.monotonic() - began >= seconds:
                    break
                time.sleep(0.2)
        except BrokenError as error:
            broken.append((None, error))
        finally:
            ends.set()
            for each in threads:
                each.join()
        if broken:
            client, error = broken[0]
            sent = "\n".join(repr(each[:300]) for each in (client or clients[0]).last)
            number = sum(each.sent for each in clients)
            raise BrokenError(f"seed {seed}, after {number} requests: {error}\nsent last, among others:\n{sent}")
        exporter.check()
        return {
            "seed": seed,
            "seconds": round(time.monotonic() - began),
            "requests": sum(each.sent for each in clients),
            "checks": checks + 1,
            "answers": dict(sorted(sum((each.answers for each in clients), Counter[str]()).items())),
            "first": exporter.first._asdict(),
            "most": exporter.most._asdict(),
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to go on")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="which requests are sent")
    parser.add_argument("--record", action="store_true", help="keep the figures for docs/reliability.md")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    told = json.dumps(fuzz(options.seed, seconds=options.seconds))
    print(told)
    if options.record:
        PATH.write_text(f"{told}\n")
