"""Besiege an exporter, and measure what its scrapers and its program get: python benchmarks/siege.py

50 scrapers, 10 an address, come every 15 seconds. Of 500 other clients, 50 an address, half send a byte a second of a
request that does not end, and half ask for the figures and read a byte a second; whoever is dropped comes again. A
collector hangs. Meanwhile the program computes. Each round besieges the exporter of another process first, and then
the program's own: the load on the machine is the same, and only the second is in the program. It writes siege.json.
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
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

__all__ = ["PATH", "table"]

PATH = Path(__file__).with_name("siege.json")
_SCRAPERS, _INTERVAL, _DEADLINE = 50, 15.0, 10.0
_SLOW = 500
_ROUNDS, _SECONDS = 6, 20.0
_REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
_ENDLESS = _REQUEST[:-2] + b"X-Slow: " + b"x" * 60_000


def main() -> None:
    """Run the rounds; write and print the figures."""
    if sys.argv[1:2] == ["exporter"]:
        exporter()
        sys.stdin.readline()
    elif sys.argv[1:2] == ["slow"]:
        print(json.dumps(slow(int(sys.argv[2]), float(sys.argv[3]))))
    elif sys.argv[1:2] == ["scrape"]:
        print(json.dumps(scrape(int(sys.argv[2]), float(sys.argv[3]))))
    else:
        with _started("exporter") as other:
            ports = int(other.stdout.readline()), exporter()
            rounds = [tuple(besieged(port) for port in ports) for _ in range(_ROUNDS)]
            other.communicate("\n")
        PATH.write_text(json.dumps(_summary(rounds), indent=2) + "\n")
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


def besieged(port: int) -> dict[str, Any]:
    """Have that port besieged while this process computes: its work, and what the clients saw."""
    with _started("slow", port, _SECONDS + 4) as slow_ones, _started("scrape", port, _SECONDS + 4) as scrapers:
        time.sleep(2)
        found = work(_SECONDS)
        return found | {
            "slow": json.loads(slow_ones.communicate()[0]),
            "scrapes": json.loads(scrapers.communicate()[0]),
        }


def work(seconds: float) -> dict[str, Any]:
    """Compute: rounds of a loop a second and a second of this thread's time, and the time of all other threads."""
    done, number = 0, 0
    wall, own, every = time.perf_counter(), time.thread_time(), time.process_time()
    while time.perf_counter() - wall < seconds:
        for step in range(1000):
            number = (number * 31 + step) % 1_000_003
        done += 1
    wall, own, every = time.perf_counter() - wall, time.thread_time() - own, time.process_time() - every
    return {
        "per_second": done / wall,
        "per_cpu_second": done / own,
        "of_a_core": own / wall,
        "others": (every - own) / wall,
    }


def slow(port: int, seconds: float) -> dict[str, int]:
    """Be the slow clients for so long."""
    clients: list[socket.socket | None] = [None] * _SLOW
    turns = [0] * _SLOW
    opened = dropped = turn = 0
    began = time.monotonic()
    while (now := time.monotonic()) - began < seconds:
        time.sleep(max(0.0, began + turn / _SLOW - now))
        index, turn = turn % _SLOW, turn + 1
        client = clients[index]
        try:
            if client is None:
                client = clients[index] = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the system takes its least
                client.setblocking(False)
                client.bind((f"127.0.1.{index // 50 + 1}", 0))
                client.connect_ex(("127.0.0.1", port))
                turns[index], opened = 0, opened + 1
                continue
            if index % 2:
                client.send(_ENDLESS[turns[index] : turns[index] + 1])
            elif turns[index] == 0:
                client.send(_REQUEST)
            turns[index] += 1
            with suppress(BlockingIOError):
                if not client.recv(1):
                    raise ConnectionError
        except BlockingIOError:
            pass
        except OSError:
            clients[index], dropped = None, dropped + 1
            client.close()
    return {"opened": opened, "dropped": dropped}


def scrape(port: int, seconds: float) -> dict[str, list[Any]]:
    """Be the scrapers for so long: what each scrape took, and what went wrong."""
    took: list[float] = []
    failed: list[str] = []
    ends = time.monotonic() + seconds

    def scraper(number: int) -> None:
        time.sleep(number / _SCRAPERS * _INTERVAL)
        while (began := time.monotonic()) < ends:
            try:
                _scraped(port, f"127.0.2.{number % 5 + 1}")
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
            else:
                took.append(time.monotonic() - began)
            time.sleep(max(0.0, min(began + _INTERVAL, ends) - time.monotonic()))

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


def _summary(rounds: list[tuple[dict[str, Any], ...]]) -> dict[str, Any]:
    own = [each[1] for each in rounds]
    took = sorted(seconds for each in own for seconds in each["scrapes"]["took"])
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "rounds": len(rounds),
        "seconds": _SECONDS,
        "scrapes": len(took),
        "scrapes_failed": sum(len(each["scrapes"]["failed"]) for each in own),
        "why": sorted({why for each in own for why in each["scrapes"]["failed"]}),
        "scrape_median": median(took),
        "scrape_longest": took[-1],
        "slow_opened": sum(each["slow"]["opened"] for each in own),
        "slow_dropped": sum(each["slow"]["dropped"] for each in own),
        "slowdown": [1 - mine["per_second"] / theirs["per_second"] for theirs, mine in rounds],
        "slowdown_of_cpu": [1 - mine["per_cpu_second"] / theirs["per_cpu_second"] for theirs, mine in rounds],
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
    told = f"{run['rounds']} rounds of {run['seconds']:.0f} s, {run['descriptors']:,} file descriptors a process. "
    told += f"Python {run['python']}, {run['machine']}."
    return "\n".join([*lines, "", told])


def _spread(rounds: list[float]) -> str:
    return f"median {median(rounds):.1%}, rounds from {min(rounds):.1%} to {max(rounds):.1%}"


if __name__ == "__main__":
    main()
