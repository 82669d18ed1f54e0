"""Health: what the engine needs of its host and of its book."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import psutil
from prometheus_client import CollectorRegistry

from alluse.book import BookError, PoolTimeoutError
from alluse.broker import BrokerGateway
from manometer import check

__all__ = ["watch"]

_FULL = 90.0  # per cent
_APART = 1.0  # seconds at least between two readings of the processor: less would show a moment


def watch(gateway: BrokerGateway, registry: CollectorRegistry) -> list[Callable[[], None]]:
    """Register the checks, and return what takes each off again. The book is critical, the host is not.

    They run as often as Manometer's settings say: every 30 s.
    """
    folder = (gateway.book and gateway.book.folder) or Path.cwd()
    closing = Event()
    checks = [
        check("memory", _memory, critical=False, registry=registry),
        check("disk", lambda: _disk(folder), critical=False, registry=registry),
        check("cpu", Processor().problem, critical=False, registry=registry),
    ]
    if gateway.book is not None:
        checks.append(check("book", lambda: _book(gateway, closing), registry=registry))
    return [closing.set, *(each.close for each in checks)]


class Processor:
    """How busy the processor was between the readings of one check and the next.

    psutil's own cpu_percent() compares with the last call in the same thread, and each check has a new one.
    clock: seconds; read: the times that the processor has spent on this and that.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, read: Callable[[], Any] = psutil.cpu_times
    ) -> None:
        self._clock, self._read = clock, read
        self._at, self._times = clock(), read()

    def problem(self) -> str | None:
        """Why it is not well; nothing where the last reading is no second old."""
        at = self._clock()
        if at - self._at < _APART:
            return None
        before, self._times, self._at = self._times, self._read(), at
        spent, idle = _spent(before, self._times)
        return _reason("the processor", 100 * (1 - idle / spent)) if spent > 0 else None


def _memory() -> str | None:
    return _reason("memory", psutil.virtual_memory().percent)


def _disk(folder: Path) -> str | None:
    return _reason(f"the disk of {folder}", psutil.disk_usage(str(folder)).percent)


def _spent(before: Any, after: Any) -> tuple[float, float]:
    """Seconds that all processors spent between two readings, and those of them that were idle."""
    # What a guest uses stands under `user` as well; Linux alone has it, and the time of waiting for a disk.
    parts = {name: getattr(after, name) - getattr(before, name) for name in after._fields}
    spent = sum(parts.values()) - parts.get("guest", 0.0) - parts.get("guest_nice", 0.0)
    return spent, parts["idle"] + parts.get("iowait", 0.0)


def _book(gateway: BrokerGateway, closing: Event) -> str | None:
    try:
        gateway.ping()
    except (BookError, PoolTimeoutError) as error:
        if closing.is_set():  # the engine closes its book while a check of it may be under way
            return None
        return f"the book does not answer: {' '.join(str(error).split())}"
    return None


def _reason(what: str, used: float) -> str | None:
    return f"{used:.0f} % of {what} is used" if used >= _FULL else None
