"""Health: what the engine needs of its host and of its book."""

from collections.abc import Callable
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry

from alluse.book import BookError, PoolTimeoutError
from alluse.broker import BrokerGateway
from manometer import check

__all__ = ["watch"]

_FULL = 90.0  # per cent


def watch(gateway: BrokerGateway, registry: CollectorRegistry) -> list[Callable[[], None]]:
    """Register the checks, and return what takes each off again. The book is critical, the host is not.

    They run as often as Manometer's settings say: every 30 s.
    """
    folder = (gateway.book and gateway.book.folder) or Path.cwd()
    psutil.cpu_percent()  # the first call has nothing to compare with, and says 0
    checks = [
        check("memory", _memory, critical=False, registry=registry),
        check("disk", lambda: _disk(folder), critical=False, registry=registry),
        check("cpu", _cpu, critical=False, registry=registry),
    ]
    if gateway.book is not None:
        checks.append(check("book", lambda: _book(gateway), registry=registry))
    return [each.close for each in checks]


def _memory() -> str | None:
    return _reason("memory", psutil.virtual_memory().percent)


def _disk(folder: Path) -> str | None:
    return _reason(f"the disk of {folder}", psutil.disk_usage(str(folder)).percent)


def _cpu() -> str | None:
    return _reason("the processor", psutil.cpu_percent())


def _book(gateway: BrokerGateway) -> str | None:
    try:
        gateway.ping()
    except (BookError, PoolTimeoutError) as error:
        return f"the book does not answer: {' '.join(str(error).split())}"
    return None


def _reason(what: str, used: float) -> str | None:
    return f"{used:.0f} % of {what} is used" if used >= _FULL else None
