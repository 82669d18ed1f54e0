"""What leaves a program, as its settings have it: the exporter's site, and what the process shares with others."""

from collections.abc import Callable, Sequence
from threading import RLock
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.health import Check, Checks
from manometer.meters.fork import freed_in_child
from manometer.registry.self_metrics import SelfMetrics
from manometer.serving.server import Server
from manometer.serving.site import Site
from manometer.serving.slots import Slots

if TYPE_CHECKING:
    from manometer.processes import Worker

__all__ = ["log", "log_level", "server_of", "site_of", "starting", "worker_of"]

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


def server_of(site: Site, settings: Settings, worker: "Worker | None") -> Server:
    """A server of the site that has its addresses, and answers nobody yet."""
    return Server(
        site,
        settings.host,
        settings.port,
        listen_addresses=settings.listen_addresses,
        web_config_file=settings.web_config_file,
        sharing=None if worker is None else worker.sharing,
        allowed_hosts=settings.allowed_hosts,
    )


def log(registry: CollectorRegistry, settings: Settings) -> Callable[[], None]:
    """Set the program's logging up, and return what gives it back."""
    from manometer import logs  # takes as long to import as all the rest of the kit

    failures = SelfMetrics.of(registry).log_failures

    def failed(destination: str) -> None:
        failures.labels(destination).inc()

    return logs.configure(settings.log_level, settings.log_format, settings.log_file, failed)


def log_level(settings: Settings) -> None:
    """Have the level of these settings hold, where the logging was set up by `log`."""
    from manometer import logs  # as above

    logs.set_level(settings.log_level)


def worker_of(registry: CollectorRegistry, settings: Settings) -> "Worker | None":
    """This process's part in a group of them, where the settings name one."""
    if settings.processes_dir is None:
        return None
    from manometer.processes import Worker  # half as large as the rest of the kit

    worker = Worker.of(registry, settings.processes_dir)
    worker.patience = settings.collector_timeout
    return worker


def _shown(registry: CollectorRegistry, worker: "Worker | None") -> CollectorRegistry:
    """The registry to serve: the program's, or one with the figures of the whole group."""
    if worker is None:
        return registry
    from manometer.processes import group_registry  # loaded where there is a worker, and slow to import elsewhere

    return group_registry(worker)
