"""What leaves a program, as its settings have it: the exporter's site, and what the process shares with others."""

import atexit
import sys
from collections.abc import Callable, Sequence
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.health import Check, Checks
from manometer.meters.fork import freed_in_child
from manometer.otlp.destination import of_metrics, of_spans
from manometer.otlp.sending import Sending
from manometer.serving.site import Site
from manometer.serving.slots import Slots

if TYPE_CHECKING:
    from manometer.processes import Worker

__all__ = ["end_sending", "flush", "send_to_the_end", "sending_of", "site_of", "starting", "worker_of"]

starting = freed_in_child(RLock())
"""Whoever starts or ends what a registry exports has this lock meanwhile."""


def site_of(
    registry: CollectorRegistry,
    settings: Settings,
    worker: "Worker | None",
    checks: Callable[[], Sequence[Check]],
) -> Site:
    """The site that shows the registry, or the whole group that the worker is of."""
    return Site(
        _shown(registry, worker),
        checks,
        service=settings.service_name,
        own=registry,
        patience=settings.collector_timeout,
        scrapes=Slots(settings.max_requests),
        figures=settings.telemetry_path,
        lifecycle=Checks.on(registry).lifecycle,
    )


def worker_of(registry: CollectorRegistry, settings: Settings) -> "Worker | None":
    """This process's part in a group of them, where the settings name one."""
    if settings.processes_dir is None:
        return None
    from manometer.processes import Worker  # half as large as the rest of the kit

    worker = Worker.of(registry, settings.processes_dir)
    worker.patience = settings.collector_timeout
    return worker


def flush(timeout: float | None = 10.0) -> bool:
    """Write now what this process shares with others (see the setting `processes_dir`).

    A process that ends by `os._exit`, or is killed, runs no code at its end: call this before, or the figures of the
    last second are lost. A process that ends in any other way writes them by itself.
    timeout: seconds to wait for that, None for as long as it takes.
    Returns whether all is written, which it is where nothing is shared; where it is not, the log says why.
    """
    # It is loaded where something is shared. A signal handler may come amid that, and then nothing is shared yet.
    write: Callable[[float | None], bool] | None = getattr(sys.modules.get("manometer.processes"), "flush", None)
    return True if write is None else write(timeout)


def sending_of(registry: CollectorRegistry, worker: "Worker | None") -> Sending:
    """What sends the registry's spans and metrics; there is one, so that no figure goes out twice."""
    return _sendings.setdefault(registry, Sending(registry, worker))


def end_sending(registry: CollectorRegistry) -> None:
    """Send what is left, and no more, unless that goes on to the program's end."""
    if registry in _sendings and registry not in _to_the_end:
        _sendings.pop(registry).close()


def send_to_the_end(registry: CollectorRegistry, settings: Settings, worker: "Worker | None") -> None:
    """Send as these settings have it until the program ends."""
    if of_spans(settings) is None and of_metrics(settings) is None:
        return
    sending = sending_of(registry, worker)
    sending.follow(settings)
    if registry not in _to_the_end:
        _to_the_end.add(registry)
        atexit.register(sending.close)


_sendings: WeakKeyDictionary[CollectorRegistry, Sending] = WeakKeyDictionary()
_to_the_end: WeakSet[CollectorRegistry] = WeakSet()


def _shown(registry: CollectorRegistry, worker: "Worker | None") -> CollectorRegistry:
    """The registry to serve: the program's, or one with the figures of the whole group."""
    if worker is None:
        return registry
    from manometer.processes import group_registry  # loaded where there is a worker, and slow to import elsewhere

    return group_registry(worker)
