"""What leaves a program, as its settings have it: the exporter's site, and what the process shares with others."""

import atexit
import logging
from collections.abc import Callable, Sequence
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.flushing import flushed_by
from manometer.health import Check, Checks
from manometer.meters.fork import freed_in_child
from manometer.otlp.destination import of_lines, of_metrics, of_spans
from manometer.otlp.sending import Sending
from manometer.registry.self_metrics import SelfMetrics
from manometer.serving.server import Server
from manometer.serving.site import Site
from manometer.serving.slots import Slots

if TYPE_CHECKING:
    from manometer.processes import Worker

__all__ = [
    *("end_sending", "log", "log_level", "memory_watch", "send_to_the_end", "sending_of"),
    *("server_of", "site_of", "starting", "worker_of"),
]

_log = logging.getLogger("manometer")

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


def memory_watch(settings: Settings) -> Callable[[], None]:
    """Watch the memory where the settings ask for a report of it, and return what ends that."""
    if settings.memory_report is None:
        return _nothing
    try:
        from manometer.heap.watch import watch  # tracemalloc and psutil, which few programs need
    except ImportError as error:
        _log.warning("memory is not watched: psutil cannot be loaded here (%s)", error)
        return _nothing
    return watch(settings.memory_report, settings.service_name)


def _nothing() -> None:
    """Nothing is to be ended."""


def worker_of(registry: CollectorRegistry, settings: Settings) -> "Worker | None":
    """This process's part in a group of them, where the settings name one."""
    if settings.processes_dir is None:
        return None
    from manometer.processes import Worker  # half as large as the rest of the kit

    worker = Worker.of(registry, settings.processes_dir)
    worker.patience = settings.collector_timeout
    return worker


def sending_of(registry: CollectorRegistry, worker: "Worker | None") -> Sending:
    """What sends the registry's spans, metrics and log lines; there is one, so that no figure goes out twice."""
    return _sendings.setdefault(registry, Sending(registry, worker))


def end_sending(registry: CollectorRegistry) -> None:
    """Send what is left, and no more, unless that goes on to the program's end."""
    if registry in _sendings and registry not in _to_the_end:
        _sendings.pop(registry).close()


def send_to_the_end(registry: CollectorRegistry, settings: Settings, worker: "Worker | None") -> None:
    """Send as these settings have it until the program ends."""
    if not any(of(settings) for of in (of_spans, of_metrics, of_lines)):
        return
    sending = sending_of(registry, worker)
    sending.follow(settings)
    if registry not in _to_the_end:
        _to_the_end.add(registry)
        atexit.register(sending.close)


def _send_now() -> bool:
    sent = [sending.flush() for sending in list(_sendings.values())]
    return all(sent)


_sendings: WeakKeyDictionary[CollectorRegistry, Sending] = WeakKeyDictionary()
_to_the_end: WeakSet[CollectorRegistry] = WeakSet()
flushed_by(_send_now, elsewhere=True)


def _shown(registry: CollectorRegistry, worker: "Worker | None") -> CollectorRegistry:
    """The registry to serve: the program's, or one with the figures of the whole group."""
    if worker is None:
        return registry
    from manometer.processes import group_registry  # loaded where there is a worker, and slow to import elsewhere

    return group_registry(worker)
