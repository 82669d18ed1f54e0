"""Health: what the engine needs of its host and of its book."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

from prometheus_client import CollectorRegistry

from alluse.book import BookError, PoolTimeoutError
from alluse.broker import BrokerGateway
from manometer import check, checks

__all__ = ["watch"]


def watch(gateway: BrokerGateway, registry: CollectorRegistry) -> list[Callable[[], None]]:
    """Register the checks, and return what takes each off again. The book is critical, the host is not.

    They run as often as Manometer's settings say: every 30 s.
    """
    folder = (gateway.book and gateway.book.folder) or Path.cwd()
    closing = Event()
    registered = [
        check("memory", checks.memory(), critical=False, registry=registry),
        check("disk", checks.disk(folder), critical=False, registry=registry),
        check("cpu", checks.cpu(), critical=False, registry=registry),
    ]
    if gateway.book is not None:
        # Where the pool of the book or its breaker has an alert out, that alert tells of the fault.
        ask = checks.about(lambda: _book(gateway, closing), gateway.book.engine, gateway.breaker)
        registered.append(check("book", ask, registry=registry))
    return [closing.set, *(each.close for each in registered)]


def _book(gateway: BrokerGateway, closing: Event) -> str | None:
    try:
        gateway.ping()
    except (BookError, PoolTimeoutError) as error:
        if closing.is_set():  # the engine closes its book while a check of it may be under way
            return None
        return f"the book does not answer: {' '.join(str(error).split())}"
    return None
