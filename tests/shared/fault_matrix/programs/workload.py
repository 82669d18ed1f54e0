"""Troubles of the process itself, and of those that it forks."""

import os
import signal
import time
from collections.abc import Callable

from switch import PAUSE, Switch

__all__ = ["TROUBLES"]


def busy(switch: Switch) -> Callable[[], None]:
    """Computes, and does not pause."""
    return lambda: sum(range(100_000)) if switch.on.is_set() else time.sleep(PAUSE)


def crashing_workers(switch: Switch) -> Callable[[], None]:
    """Forks workers that end by themselves, and forks them again."""
    workers: list[int] = []

    def one():
        while len(workers) < 3:
            workers.append(_worker())
        time.sleep(PAUSE)
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
            time.sleep(PAUSE)
        os._exit(0)
    return child


TROUBLES = {"busy": busy, "crashing-workers": crashing_workers}
