"""Workers and exporters that are killed (SIGKILL) at any moment."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from watching import DEADLINE, Group, Watch, Worker, first_line, page, until

__all__ = ["killed"]

_WORKERS, _PAUSE = 4, 0.4
_EXPORTER_EVERY = 6


def killed(folder: Path, port: int, seed: int, times: int = 24) -> dict[str, Any]:
    """Kill workers of a group at random moments, and now and then the exporter that shows them.

    port: where the exporter listens each time; times: how many workers are killed.
    """
    chance = random.Random(seed)
    kills: dict[int, float] = {}
    pauses: list[float] = []
    url = f"http://127.0.0.1:{port}"
    with Group(folder, folder / "group") as group:
        for _ in range(_WORKERS):
            group.start()
        exporter = _exporter(group.directory, port)
        with Watch(url) as watch:
            for number in range(1, times + 1):
                time.sleep(chance.uniform(0.5, 1.5) * _PAUSE)
                victim = chance.choice([each for each in group.workers if each.number not in kills])
                victim.process.kill()
                victim.process.wait()
                kills[victim.number] = time.monotonic()
                group.start()
                if number % _EXPORTER_EVERY == 0:
                    exporter.kill()
                    exporter.wait()
                    began = time.monotonic()
                    exporter = _exporter(group.directory, port)
                    page(url)
                    pauses.append(time.monotonic() - began)
            last = group.end()
            until(lambda: watch.shown == last, "the exporter shows what the directory does")
        exporter.terminate()
        exporter.wait(DEADLINE)
    workers = group.workers
    return {
        "kills": len(kills),
        "exporter_kills": len(pauses),
        "exporter_pause": max(pauses),
        "events": group.events,
        "known_written": sum(each.account.written for each in workers if each.number in kills),
        "lost": group.events - sum(last.values()),
        "oldest_lost": max(_lost_seconds(workers[number], last, at) for number, at in kills.items()),
        "scrapes": watch.answers["200"],
        "falls": watch.falls,
        "wrong": [what for each in workers for what in _wrong(each, last, each.number in kills)],
    }


def _exporter(directory: Path, port: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "manometer", "serve", str(directory), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    first_line(process)
    return process


def _wrong(worker: Worker, last: dict[int, int], was_killed: bool) -> Iterator[str]:
    """What no kill may cost: events that were known to be written, and any of a worker that ended by itself."""
    account, shown = worker.account, last.get(worker.number, 0)
    if not was_killed and shown != account.counted:
        yield f"worker {worker.number} ended well, and {shown} of its {account.counted} events are shown"
    if shown < account.written:
        yield f"worker {worker.number} knew {account.written} events to be written, and {shown} are shown"
    if shown > account.counted:  # each is in the account first
        yield f"worker {worker.number} has {account.counted} events, and {shown} are shown"


def _lost_seconds(worker: Worker, last: dict[int, int], at: float) -> float:
    """How long before the kill the first event came that is lost; 0 where none is."""
    shown = last.get(worker.number, 0)
    return at - worker.account.time_of(shown) if shown < worker.account.counted else 0.0
