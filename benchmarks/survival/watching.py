"""A group of worker processes under way, and a scraper that notices every total that falls."""

import http.client
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter as Tally
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple, Self

from account import Account

from manometer import render
from manometer.processes import onlooker

__all__ = ["DEADLINE", "Group", "Watch", "Worker", "counted", "first_line", "page", "until"]

DEADLINE = 120.0
"""Seconds that something is waited for; a busy machine is no fault."""
_EVENTS = re.compile(r'^events_total\{worker="(\d+)"\} (\S+)$', re.MULTILINE)
_HERE = Path(__file__).parent


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until the condition holds; TimeoutError where it does not come to pass."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


def first_line(process: "subprocess.Popen[str]") -> str:
    """What the process writes first to its output, which is where it can be asked."""
    assert process.stdout is not None
    with process.stdout as output:
        return output.readline().strip()


def page(url: str) -> str:
    """What a scrape gets. Raises OSError or HTTPException where it fails."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=DEADLINE) as answer:
        return str(answer.read().decode())


def counted(text: str) -> dict[int, int]:
    """The events that a scrape shows, by the number of the worker."""
    return {int(number): int(float(value)) for number, value in _EVENTS.findall(text)}


class Worker(NamedTuple):
    """A worker under way. url: of its figures."""

    number: int
    process: "subprocess.Popen[str]"
    account: Account
    url: str


class Group:
    """Workers of one directory. folder: for their accounts and logs; options: of the workers."""

    def __init__(self, folder: Path, directory: Path, *options: str) -> None:
        self._folder, self.directory, self._options = folder, directory, options
        self.workers: list[Worker] = []

    def start(self) -> Worker:
        """One more worker, which counts from now on."""
        number = len(self.workers)
        path = self._folder / f"{number}.account"
        account = Account(path)
        path.chmod(0o666)
        command = [sys.executable, str(_HERE / "worker.py"), str(number), str(self.directory), str(path)]
        with (self._folder / f"{number}.log").open("w") as log:
            process = subprocess.Popen([*command, *self._options], stdout=subprocess.PIPE, stderr=log, text=True)
        self.workers.append(Worker(number, process, account, first_line(process)))
        return self.workers[-1]

    @property
    def events(self) -> int:
        """The events that all of them counted so far."""
        return sum(each.account.counted for each in self.workers)

    def end(self) -> dict[int, int]:
        """Have those that are left end as they do at SIGTERM; what the directory then shows, by worker."""
        for each in self.workers:
            each.process.terminate()
        for each in self.workers:
            status = each.process.wait(DEADLINE)
            if status not in (0, -signal.SIGKILL):
                raise ChildProcessError(f"worker {each.number} ended with {status}; see its log")
        return counted(render(onlooker(self.directory))[0].decode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.workers:
            each.process.kill()
            each.process.wait()


class Watch:
    """Scrapes without a pause, until the end of the block. falls: the totals that were lower than before."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.answers: Tally[str] = Tally()
        self.falls: list[str] = []
        self.shown: dict[int, int] = {}
        self._stop = Event()
        self._thread = Thread(target=self._scrape)

    def _scrape(self) -> None:
        while not self._stop.is_set():
            try:
                found = counted(page(self._url))
            except urllib.error.HTTPError as error:
                self.answers[str(error.code)] += 1
            except (OSError, http.client.HTTPException):
                self.answers["none"] += 1  # as where the exporter was killed
                self._stop.wait(0.02)
            else:
                self.answers["200"] += 1
                self._compare(found)

    def _compare(self, found: dict[int, int]) -> None:
        for number, before in self.shown.items():
            if found.get(number, 0) < before:
                self.falls.append(f"worker {number}: {before} to {found.get(number)}")
        self.shown = found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
