"""A program that has one trouble which ALL-USE has no fault for: `python programs.py TROUBLE PORT SECONDS`

It is well until it reads `on` from its standard input, and again after `off`. It ends with the input. The trouble
lasts for so many seconds.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from threading import Event, Thread

from prometheus_client import REGISTRY

import manometer

_PAUSE = 0.2  # seconds between two rounds


class Switch:
    """Whether the trouble is on, told line by line on the standard input. lasts: for how many seconds."""

    def __init__(self, lasts):
        self.lasts = lasts
        self.on, self.ended = Event(), Event()
        Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in sys.stdin:
            (self.on.set if line.strip() == "on" else self.on.clear)()
        self.ended.set()


def busy(switch: Switch) -> Callable[[], None]:
    """Computes, and does not pause."""
    return lambda: sum(range(100_000)) if switch.on.is_set() else time.sleep(_PAUSE)


def collector(switch: Switch) -> Callable[[], None]:
    """Has a collector that raises."""

    class Failing:
        def describe(self):
            return []

        def collect(self):
            if switch.on.is_set():
                raise RuntimeError("this collector fails on purpose")
            return []

    REGISTRY.register(Failing())
    return lambda: time.sleep(_PAUSE)


def labels(switch: Switch) -> Callable[[], None]:
    """Counts by an id that is new each time."""
    seen = manometer.Counter("seen_ids_total", "By ids without bound.", ["id"], max_series=10)
    numbers = iter(range(10**9))

    def one():
        if switch.on.is_set():
            seen.labels(str(next(numbers))).inc()
        time.sleep(_PAUSE)

    return one


def check(switch: Switch) -> Callable[[], None]:
    """Has a check that is not critical, and fails."""
    manometer.check("cellar", lambda: not switch.on.is_set(), critical=False)
    return lambda: time.sleep(_PAUSE)


class _Pool:
    """What is taken out stays out."""

    limit = 40

    def __init__(self):
        self.in_use = 0

    def acquire(self):
        self.in_use += 1

    def release(self, _):
        self.in_use -= 1


def filling_pool(switch: Switch) -> Callable[[], None]:
    """Has a pool that gets fuller evenly for a third of the time, and stays so: to less than nine tenths."""
    pool = manometer.instrument_pool(_Pool(), name="slots")

    def one():
        if switch.on.wait(_PAUSE):
            if pool.in_use < 0.85 * pool.limit:
                pool.acquire()
            switch.ended.wait(switch.lasts / 3 / (0.85 * pool.limit))
        else:
            while pool.in_use:
                pool.release(None)

    return one


def crashing_workers(switch: Switch) -> Callable[[], None]:
    """Forks workers that end by themselves, and forks them again."""
    workers: list[int] = []

    def one():
        while len(workers) < 3:
            workers.append(_worker())
        time.sleep(_PAUSE)
        if switch.on.is_set():
            os.kill(workers[0], signal.SIGKILL)
        while (ended := os.waitpid(-1, os.WNOHANG) if workers else (0, 0))[0]:
            workers.remove(ended[0])

    return one


def _worker() -> int:
    parent, child = os.getpid(), os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while os.getppid() == parent:
            time.sleep(_PAUSE)
        os._exit(0)
    return child


TROUBLES = {
    "busy": busy,
    "collector": collector,
    "labels": labels,
    "check": check,
    "crashing-workers": crashing_workers,
    "filling-pool": filling_pool,
}


def main() -> None:
    """Run until the standard input ends."""
    trouble, port, seconds = sys.argv[1:]
    switch = Switch(float(seconds))
    with tempfile.TemporaryDirectory(prefix="manometer-faults-") as folder:
        shared = {"processes_dir": f"{folder}/group"} if trouble == "crashing-workers" else {}
        manometer.Manometer(manometer.Settings.load(port=int(port), **shared)).start()
        go_on = TROUBLES[trouble](switch)
        while not switch.ended.is_set():
            go_on()


if __name__ == "__main__":
    main()
