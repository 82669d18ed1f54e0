"""Besiege an exporter, and measure what its scrapers and its program get: python benchmarks/siege.py

50 scrapers, 10 an address, come every 15 seconds. Of 500 other clients, 50 an address, half send a byte a second of a
request that does not end, and half ask for the figures and read a byte a second; whoever is dropped comes again. A
collector hangs. Meanwhile the program computes. The exporter of another process and the program's own are besieged by
turns of some seconds: the load on the machine is the same, and only the second is in the program. Turns are short, as
what else a machine does changes within a minute. It writes siege.json.
"""

import http.client
import json
import platform
import resource
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import mean, median, quantiles, stdev
from typing import Any

__all__ = ["PATH", "table"]

PATH = Path(__file__).with_name("siege.json")
_SCRAPERS, _INTERVAL, _DEADLINE = 50, 15.0, 10.0
_SLOW = 500
_TURNS, _TURN, _SETTLES = 60, 4.0, 1.0
_BEFORE = 20.0
_REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
_ENDLESS = _REQUEST[:-2] + b"X-Slow: " + b"x" * 60_000


def main() -> None:
    """Run the rounds; write and print the figures."""
    if sys.argv[1:2] == ["exporter"]:
        exporter()
        sys.stdin.readline()
    elif sys.argv[1:2] == ["slow"]:
        print(json.dumps(slow(int(sys.argv[2]), _Turns(int(sys.argv[3]), float(sys.argv[4])))))
    elif sys.argv[1:2] == ["scrape"]:
        print(json.dumps(scrape(int(sys.argv[2]), _Turns(int(sys.argv[3]), float(sys.argv[4])))))
    else:
        with _started("exporter") as other:
            ports = int(other.stdout.readline()), exporter()
            turns, clients = besieged(ports)
            other.communicate("\n")
        PATH.write_text(json.dumps(_summary(turns, clients), indent=2) + "\n")
        print(table())


def exporter() -> int:
    """Start an exporter of 100 histograms, the process and the host, and a collector that hangs; print its port."""
    from prometheus_client import CollectorRegistry

    import manometer

    registry = CollectorRegistry()
    latency = manometer.Histogram("latency_seconds", "Latency.", ["page"], registry=registry)
    for page in range(100):
        latency.labels(str(page)).observe(0.1)
    manometer.Gauge("hangs", "Hangs.", registry=registry).set_function(lambda: time.sleep(1e6) or 0.0)
    started = manometer.Manometer(manometer.Settings.load(environ={}, port=0), registry=registry).start()
    _kept.append(started)
    port = int(started.url.rpartition(":")[2])
    print(port, flush=True)
    return port


_kept: list[object] = []


class _Turns:
    """The time of one of two sides that have turns: it stands still while the other's turn lasts."""

    def __init__(self, side: int, began: float) -> None:
        self.began, self._skipped = began, side * _TURN

    def now(self) -> float:
        """The seconds of this side's turns so far; below zero before the first two, when both sides are at it."""
        since = time.monotonic() - self.began
        if since < 0:
            return since
        pairs, within = divmod(since, 2 * _TURN)
        return pairs * _TURN + min(max(within - self._skipped, 0.0), _TURN)

    def sleep_until(self, moment: float) -> None:
        """Sleep until it is that moment, through the other's turns."""
        pairs, within = divmod(moment, _TURN)
        since = moment if moment < 0 else pairs * 2 * _TURN + self._skipped + within
        time.sleep(max(0.0, self.began + since - time.monotonic()))

    @property
    def end(self) -> float:
        """The seconds after which the last turn is over."""
        return _TURNS * _TURN


def besieged(ports: tuple[int, int]) -> tuple[list[tuple[dict[str, float], ...]], dict[str, Any]]:
    """Besiege the ports by turns and compute meanwhile: the work in each turn, and what clients of the second saw."""
    began = time.monotonic() + _BEFORE
    kinds = ["slow", "scrape"]
    with ExitStack() as stack:
        started = [
            [stack.enter_context(_started(kind, port, side, began)) for kind in kinds]
            for side, port in enumerate(ports)
        ]
        turns = [tuple(work(began + _TURN * (2 * pair + side)) for side in range(2)) for pair in range(_TURNS)]
        seen = [[json.loads(each.communicate()[0]) for each in side] for side in started]
    return turns, dict(zip(kinds, seen[1], strict=True))


def work(turn: float) -> dict[str, float]:
    """Compute until the turn that begins then is over: the work and the threads' time, once it has settled."""
    compute_until(turn + _SETTLES)
    wall, own, every = time.perf_counter(), time.thread_time(), time.process_time()
    done = compute_until(turn + _TURN)
    wall, own, every = time.perf_counter() - wall, time.thread_time() - own, time.process_time() - every
    return {
        "per_second": done / wall,
        "per_cpu_second": done / own,
        "of_a_core": own / wall,
        "others": (every - own) / wall,
    }


def compute_until(moment: float) -> int:
    """Run a loop of pure Python again and again until then; how often it ran."""
    done, number = 0, 0
    while time.monotonic() < moment:
        for step in range(1000):
            number = (number * 31 + step) % 1_000_003
        done += 1
    return done


def slow(port: int, turns: _Turns) -> dict[str, int]:
    """Be the slow clients of these turns."""
    clients: list[socket.socket | None] = [None] * _SLOW
    sent = [0] * _SLOW
    opened = dropped = step = 0
    began = turns.now()
    while turns.now() < turns.end:
        turns.sleep_until(began + step / _SLOW)
        index, step = step % _SLOW, step + 1
        client = clients[index]
        try:
            if client is None:
                client = clients[index] = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the system takes its least
                client.setblocking(False)
                client.bind((f"127.0.1.{index // 50 + 1}", 0))
                client.connect_ex(("127.0.0.1", port))
                sent[index], opened = 0, opened + 1
                continue
            if index % 2:
                client.send(_ENDLESS[sent[index] : sent[index] + 1])
            elif sent[index] == 0:
                client.send(_REQUEST)
            sent[index] += 1
            with suppress(BlockingIOError):
                if not client.recv(1):
                    raise ConnectionError
        except BlockingIOError:
            pass
        except OSError:
            clients[index], dropped = None, dropped + 1
            client.close()
    return {"opened": opened, "dropped": dropped}


def scrape(port: int, turns: _Turns) -> dict[str, list[Any]]:
    """Be the scrapers of these turns: what each scrape took, and what went wrong."""
    took: list[float] = []
    failed: list[str] = []
    start = turns.now()

    def scraper(number: int) -> None:
        due = start + number / _SCRAPERS * _INTERVAL
        while due < turns.end:
            turns.sleep_until(due)
            due, began = due + _INTERVAL, time.monotonic()
            try:
                _scraped(port, f"127.0.2.{number % 5 + 1}")
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
            else:
                took.append(time.monotonic() - began)

    threads = [threading.Thread(target=scraper, args=(number,)) for number in range(_SCRAPERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return {"took": took, "failed": failed}


def _scraped(port: int, address: str) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, _DEADLINE, source_address=(address, 0))
    try:
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(_DEADLINE), "Accept-Encoding": "gzip"}
        client.request("GET", "/metrics", headers=headers)
        answer = client.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise http.client.HTTPException(answer.status)
    finally:
        client.close()


def _started(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _summary(turns: list[tuple[dict[str, float], ...]], clients: dict[str, Any]) -> dict[str, Any]:
    own = [mine for _, mine in turns]
    took = sorted(clients["scrape"]["took"])
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "turns": len(turns),
        "seconds": _TURN,
        "scrapes": len(took),
        "scrapes_failed": len(clients["scrape"]["failed"]),
        "why": sorted(set(clients["scrape"]["failed"])),
        "scrape_median": median(took),
        "scrape_longest": took[-1],
        "slow_opened": clients["slow"]["opened"],
        "slow_dropped": clients["slow"]["dropped"],
        "slowdown": [1 - mine["per_second"] / theirs["per_second"] for theirs, mine in turns],
        "slowdown_of_cpu": [1 - mine["per_cpu_second"] / theirs["per_cpu_second"] for theirs, mine in turns],
        "of_a_core": [each["of_a_core"] for each in own],
        "exporter": [each["others"] for each in own],
    }


def table() -> str:
    """The figures of the last committed run, as a table of Markdown."""
    run = json.loads(PATH.read_text())
    took = f"median {run['scrape_median']:.2f} s, longest {run['scrape_longest']:.2f} s, of {_DEADLINE:.0f} s"
    rows = [
        ("scrapes", f"{run['scrapes']:,} answered, {run['scrapes_failed']} failed"),
        ("time that a scrape took", took),
        ("connections of slow clients", f"{run['slow_opened']:,} opened, {run['slow_dropped']:,} of them dropped"),
        ("share of a core that the exporter took", _spread(run["exporter"])),
        ("share of a core that the program had", _spread(run["of_a_core"])),
        ("work of the program in a second, less by", _spread(run["slowdown"])),
        ("work of the program in a second of its CPU time, less by", _spread(run["slowdown_of_cpu"])),
    ]
    lines = ["| measured | |", "| --- | --- |", *(f"| {name} | {figure} |" for name, figure in rows)]
    told = f"{run['turns']} turns of {run['seconds']:.0f} s each, {run['descriptors']:,} file descriptors a process. "
    told += "± is the standard error of the mean, and half of the turns lie between the next two. "
    told += f"Python {run['python']}, {run['machine']}."
    return "\n".join([*lines, "", told])


def _spread(turns: list[float]) -> str:
    low, _, high = quantiles(turns, n=4)
    error = stdev(turns) / len(turns) ** 0.5
    return f"{mean(turns):.1%} ± {error:.1%}, half from {low:.1%} to {high:.1%}"


if __name__ == "__main__":
    main()
