"""What leaves a program, as its settings have it: the exporter's site, and what the process shares with others."""

import sys
from collections.abc import Callable, Sequence
from threading import RLock
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.health import Check, Checks
from manometer.meters.fork import freed_in_child
from manometer.serving.site import Site
from manometer.serving.slots import Slots

if TYPE_CHECKING:
    from manometer.processes import Worker

__all__ = ["flush", "site_of", "starting", "worker_of"]

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


def _shown(registry: CollectorRegistry, worker: "Worker | None") -> CollectorRegistry:
    """The registry to serve: the program's, or one with the figures of the whole group."""
    if worker is None:
        return registry
    from manometer.processes import group_registry  # loaded where there is a worker, and slow to import elsewhere

    return group_registry(worker)
