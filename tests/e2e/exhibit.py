"""A program of two processes that shows what ALL-USE, being one and well, does not: every trouble of the kit itself.

    python exhibit.py FOLDER

It prints the address of its exporter. Then it has each trouble again and again until it is told to end: a rate
needs a counter that was there before it grew.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

from cachetools import LRUCache
from prometheus_client import REGISTRY

import manometer
from manometer.instrumentation.runtime import cgroups

PAUSE = 0.2  # seconds between two rounds


class Failing:
    """A collector that fails every other time."""

    def __init__(self):
        self._times = 0

    def describe(self):
        return []

    def collect(self):
        self._times += 1
        if self._times % 2:
            raise RuntimeError("this collector fails on purpose")
        return []


class Exhibit:
    """What goes wrong in each process."""

    def __init__(self):
        self._ids = manometer.Counter("exhibit_ids_total", "By ids without bound.", ["id"], max_series=2)
        self._cache = manometer.instrument_cache(LRUCache(10), name="ids")
        self._number = 0
        manometer.check("slow", lambda: time.sleep(1.5), critical=False, interval=2)
        REGISTRY.register(Failing())
        threading.Thread(target=asyncio.run, args=(self.live_badly(),), daemon=True).start()

    def round(self):
        """One of everything."""
        self._number += 1
        self._ids.labels(str(self._number)).inc()
        self._cache[self._number] = self._number
        self._cache.get(self._number)
        self._cache.get(-1)
        logging.getLogger("exhibit").warning("this line finds no room on purpose")
        with contextlib.suppress(ValueError):
            self._fail()

        threading.Thread(target=self._end_badly).start()

    def _end_badly(self):
        raise RuntimeError("this thread ends badly on purpose")

    async def live_badly(self):
        """On a loop that is held up now and then, and whose tasks fail unheard."""
        loop = asyncio.get_running_loop()
        manometer.instrument_loop(loop)
        lock = manometer.instrument_semaphore(asyncio.Lock(), name="exhibit")
        while True:
            async with lock:
                await asyncio.sleep(PAUSE)
            time.sleep(0.5)  # noqa: ASYNC251 - the stall itself
            loop.call_exception_handler({"message": "nobody handles this on purpose"})

    @manometer.stage("fail", engine="exhibit")
    def _fail(self):
        raise ValueError("this stage fails on purpose")


def limit_memory(folder):
    """A container that has a limit, which the machine of these tests may not have."""
    folder.mkdir()
    for name, text in {
        "memory.max": 100_000_000,
        "memory.current": 70_000_000,
        "memory.stat": "inactive_file 0",
    }.items():
        (folder / name).write_text(f"{text}\n")
    cgroups.own_cgroups = lambda: [folder]


def ask_under_another_name(url):
    """As a page in a browser might, which the exporter refuses."""
    request = urllib.request.Request(f"{url}/metrics", headers={"Host": "elsewhere.example"})
    with contextlib.suppress(OSError):
        urllib.request.urlopen(request, timeout=5)


def main():
    """Run until SIGTERM."""
    folder = Path(sys.argv[1])
    threading.excepthook = lambda _: None
    web, group = folder / "web.yml", folder / "group"
    web.write_text("{}\n")
    limit_memory(folder / "cgroup")

    def settings():
        return manometer.Settings.load(
            port=0,
            processes_dir=str(group),
            web_config_file=str(web),
            otlp_endpoint="http://127.0.0.1:1",  # where nobody takes traces and log lines
            trace_ratio=0.0,
            textfile=str(folder / "exhibit.prom"),
            logs=True,
            log_file="/dev/full",
            logs_exporter="otlp",
            metrics_exporter="none",
            otlp_timeout=0.5,
        )

    program = manometer.Manometer(settings(), load=settings)
    program.start()
    exhibit = Exhibit()
    sys.stdout.write(f"{program.url}\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parent, child = os.getpid(), os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while os.getppid() == parent:
            exhibit.round()
            time.sleep(PAUSE)
        os._exit(0)
    number = 0
    try:
        while True:
            number += 1
            exhibit.round()
            ask_under_another_name(program.url)
            web.write_text("{}\n" + "#" * (number % 50))
            if number % 5 == 0:
                program.reload()
                manometer.flush()
                (group / f"1-{number}.manometer").write_bytes(b"no figures")
            time.sleep(PAUSE)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
