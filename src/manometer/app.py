"""Manometer: starts what serves and watches a program's figures, and stops it all again."""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Self, Unpack

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.config import Settings, SettingValues
from manometer.errors import ConfigError
from manometer.health import Check, Checks
from manometer.instrumentation.pool import database
from manometer.life.last_report import leave_reports, report_to_the_end, reporting
from manometer.meters.fork import Forked, freed_in_child, notice, renewed_in_child
from manometer.process import measure, measure_to_the_end
from manometer.serving import pages
from manometer.serving.server import Server

if TYPE_CHECKING:
    from manometer.processes import Worker

__all__ = ["Manometer", "asgi_app", "flush", "start", "wsgi_app"]


class Manometer:
    """Serves a registry's figures over HTTP, runs its health checks, measures the process and the host.

    Sends spans and sets up logging where the settings ask for it. All of it ends with `close()`, or
    with the `with` block. It may be started again after that. A registry has one that runs.

    settings: by default what the environment says, see Settings.load.
    """

    def __init__(self, settings: Settings | None = None, *, registry: CollectorRegistry = REGISTRY) -> None:
        self.settings = Settings.load() if settings is None else settings
        self._registry = registry
        self._running: ExitStack | None = None
        self._server: Server | None = None
        renewed_in_child(self)

    def start(self) -> Self:
        """Start everything, or nothing: where a part cannot start, those before it are stopped again.

        Raises ConfigError where the port is taken, an extra is missing, or one runs on the registry already.
        """
        notice()
        with _lock:
            if self._running is not None:
                raise ConfigError(f"this Manometer serves {self.url} already; close it first")
            first = _by_registry.get(self._registry)
            if first is not None:  # what they measure is the registry's: the end of one would take it from both
                raise ConfigError(
                    f"the registry has a Manometer already, which serves {first.url}; "
                    "use that, which Manometer.running(registry) returns, or close it first"
                )
            with ExitStack() as started:
                server = self._start(started)
                self._running = started.pop_all()
            self._server = server
            _by_registry[self._registry] = self
        return self

    @classmethod
    def running(cls, registry: CollectorRegistry = REGISTRY) -> "Manometer | None":
        """The Manometer that runs on the registry, or None.

        It is how a notebook gets at the one of a cell that was run before: `Manometer.running().close()`.
        """
        notice()
        return _by_registry.get(registry)

    def close(self) -> None:
        """Stop serving, flush the spans and remove what was measured; a second call does nothing."""
        notice()
        with _lock:
            running, self._running = self._running, None
            self._server = None
            if _by_registry.get(self._registry) is self:
                del _by_registry[self._registry]
            if running is not None:
                running.close()

    def renew(self, _: Forked) -> None:
        """In a forked child: it does not serve there, so the child may have its own."""
        if _by_registry.get(self._registry) is self:
            del _by_registry[self._registry]

    @property
    def url(self) -> str:
        """Where the landing page is, such as http://127.0.0.1:9464."""
        if self._server is None:
            raise ConfigError("this Manometer is not running; call start() first")
        return self._server.url

    def __enter__(self) -> Self:
        return self if self._running is not None else self.start()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        leave_reports(error)
        self.close()

    def _start(self, started: ExitStack) -> Server:
        """Start the parts in such an order that the last ones started are the first to stop."""
        settings, registry = self.settings, self._registry
        checks = Checks.on(registry)
        worker = _worker(registry, settings)
        shown, patience = _shown(registry, worker), settings.collector_timeout
        name, life = settings.service_name, checks.lifecycle
        site = pages.Site(shown, checks.all, name, registry, patience, lifecycle=life)
        sharing = None if worker is None else worker.sharing(settings.port)
        server = Server(site, settings.host, settings.port, sharing=sharing, allowed_hosts=settings.allowed_hosts)
        started.callback(server.close)  # where the port is taken, nothing else has been touched
        started.enter_context(reporting(settings.crash_report, registry, settings.service_name))
        if settings.logs:
            from manometer import logs  # takes as long to import as all the rest of the kit

            started.callback(logs.configure(settings.log_level, settings.log_format, settings.log_file))
        if settings.otlp_endpoint is not None:
            from manometer.tracing.otlp import Spans  # needs an extra

            spans = Spans(settings.otlp_endpoint, settings.trace_ratio, settings.service_name, registry)
            started.callback(spans.close)
        started.callback(measure(registry))
        if settings.db_client_connections:
            started.callback(database.show(registry))
        with _needing_threads():
            checks.start(settings.health_interval)
        started.callback(checks.stop)
        if worker is not None:
            worker.start()
            started.callback(worker.stop)
        with _needing_threads():
            server.start()
        started.callback(server.close)
        return server


@contextmanager
def _needing_threads() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ConfigError(
            f"no thread can be started here ({error}); serve manometer.wsgi_app() by a server of yours, "
            "or what manometer.render() returns"
        ) from error


def start(
    registry: CollectorRegistry = REGISTRY,
    path: str | os.PathLike[str] | None = None,
    **settings: Unpack[SettingValues],
) -> Manometer:
    """Start a Manometer that is closed when the program ends.

    path: a YAML file of settings; settings: those of Settings by name, such as `port=9500`.
    """
    manometer = Manometer(Settings.load(path, **settings), registry=registry).start()
    atexit.register(manometer.close)
    return manometer


def flush(timeout: float | None = 10.0) -> bool:
    """Write now what this process shares with others (see the setting `processes_dir`).

    A process that ends by `os._exit`, or is killed, runs no code at its end: call this before, or the figures of the
    last second are lost. A process that ends in any other way writes them by itself.
    timeout: seconds to wait for that, None for as long as it takes.
    Returns whether all is written, which it is where nothing is shared; where it is not, the log says why.
    """
    if "manometer.processes" not in sys.modules:  # then nothing is shared
        return True
    from manometer.processes import flush

    return flush(timeout)


def wsgi_app(
    registry: CollectorRegistry = REGISTRY,
    path: str | os.PathLike[str] | None = None,
    **settings: Unpack[SettingValues],
) -> pages.WsgiApp:
    """The exporter's pages as a WSGI application, for a program that has a web server of its own.

    Mounted at `/metrics`, it answers with the figures there: of all worker processes, where the setting
    `processes_dir` says where they share them. The process, its garbage collector and the host are measured from
    now on, as `start` does. The first request for `/readyz` starts the health checks, in whichever worker process it
    comes to.
    path, settings: as for start; `processes_dir`, `db_client_connections`, `collector_timeout`, `crash_report` and
    `service_name` matter here.
    """
    return pages.wsgi_app(_site(registry, Settings.load(path, **settings)))


def asgi_app(
    registry: CollectorRegistry = REGISTRY,
    path: str | os.PathLike[str] | None = None,
    **settings: Unpack[SettingValues],
) -> pages.AsgiApp:
    """The exporter's pages as an ASGI application; see wsgi_app.

    When the server tells it of its end (ASGI's `lifespan.shutdown`), it writes the last figures for `processes_dir`.
    A server such as uvicorn then ends by a signal, and runs no code any more.
    """
    return pages.asgi_app(_site(registry, Settings.load(path, **settings)), flush)


def _site(registry: CollectorRegistry, settings: Settings) -> pages.Site:
    with _lock:
        measure_to_the_end(registry)  # nobody closes an application
        if settings.crash_report is not None:
            report_to_the_end(settings.crash_report, registry, settings.service_name)
    if settings.db_client_connections:
        database.show(registry)
    worker = _worker(registry, settings)
    if worker is not None:
        worker.start()

    def checks() -> list[Check]:
        found.start()
        return found.all()

    found = Checks.on(registry)
    shown, patience = _shown(registry, worker), settings.collector_timeout
    return pages.Site(shown, checks, settings.service_name, registry, patience, lifecycle=found.lifecycle)


def _worker(registry: CollectorRegistry, settings: Settings) -> "Worker | None":
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


_by_registry: dict[CollectorRegistry, Manometer] = {}
"""Those that run."""
_lock = freed_in_child(RLock())
