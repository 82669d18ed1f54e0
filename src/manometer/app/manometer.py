"""Manometer: starts what serves and watches a program's figures, and stops it all again."""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Self, Unpack

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.app.arguments import expect
from manometer.app.exported import (
    end_sending,
    log,
    log_level,
    memory_watch,
    sending_of,
    server_of,
    site_of,
    starting,
    worker_of,
)
from manometer.config import Live, Reload, Settings, SettingValues
from manometer.errors import ConfigError
from manometer.handover import Handover
from manometer.health import Checks
from manometer.instrumentation.pool import database
from manometer.life.gc_policy import hold_gc_policy
from manometer.life.hangup import on_hangup
from manometer.life.last_report import leave_reports, reporting
from manometer.life.rq import flush_after_jobs
from manometer.meters.fork import Forked, called_in_child, notice, renewed_in_child
from manometer.otlp.sending import FOLLOWED
from manometer.process import measure
from manometer.registry.self_metrics import SelfMetrics
from manometer.serving.server import Server

__all__ = ["Manometer", "start"]


class Manometer:
    """Serves a registry's figures over HTTP, runs its health checks, measures the process and the host.

    Sends spans, sets up logging and hands the last figures over where the settings ask for it. All of it ends with
    `close()`, or with the `with` block. It may be started again after that. A registry has one that runs.

    settings: by default what `load` gives. load: where `reload` has new settings from, by default Settings.load where
    no settings are given.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        registry: CollectorRegistry = REGISTRY,
        load: Callable[[], Settings] | None = None,
    ) -> None:
        if settings is None:
            load = load or Settings.load
            settings = load()
        else:
            expect(Settings, settings, "Manometer(settings)")
        expect(CollectorRegistry, registry, "Manometer(registry)")
        self._load, self._live = load, Live(settings)
        self._registry = registry
        self._running: ExitStack | None = None
        self._server: Server | None = None
        renewed_in_child(self)

    def start(self) -> Self:
        """Start everything, or nothing: where a part cannot start, those before it are stopped again.

        Raises ConfigError where the port is taken, an extra is missing, or one runs on the registry already.
        """
        notice()
        with starting:
            if self._running is not None:
                raise ConfigError(f"this Manometer is running and {self._served}; close it first")
            first = _by_registry.get(self._registry)
            if first is not None:  # what they measure is the registry's: the end of one would take it from both
                raise ConfigError(
                    f"the registry has a Manometer already, which {first._served}; "
                    "use that, which Manometer.running(registry) returns, or close it first"
                )
            with ExitStack() as started:
                server = self._start(started)
                self._running = started.pop_all()
            self._server = server
            SelfMetrics.of(self._registry).settings.started()
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
        with starting:
            running, self._running = self._running, None
            self._server = None
            self._live = Live(self.settings)  # which lets go of the parts
            if _by_registry.get(self._registry) is self:
                del _by_registry[self._registry]
            if running is not None:
                running.close()

    @property
    def settings(self) -> Settings:
        """Those that hold now."""
        return self._live.settings

    def reload(self, settings: Settings | None = None) -> bool:
        """Read the settings again, and have those hold that may change while the program runs.

        settings: the new ones; by default what they were loaded from at first is read anew.
        Where anything is wrong, nothing changes. Returns whether all of the new settings hold; the log says which
        need a restart, or what is wrong. It takes locks, so no signal handler may call it: the setting
        `reload_on_sighup` has a thread call it.
        Raises ConfigError where this Manometer does not run, or was given its settings and no `load`.
        """
        notice()
        load = self._load if settings is None else lambda: settings
        if load is None:
            raise ConfigError("this Manometer was given its settings; pass the new ones: reload(settings)")
        new = self._live.read(load)
        with starting:
            if _by_registry.get(self._registry) is not self:  # as in a forked child too, where its parts do not run
                raise ConfigError("this Manometer is not running; call start() first")
            outcome = Reload.REFUSED if new is None else self._live.take(new)
            SelfMetrics.of(self._registry).settings.ended(outcome.value)
        return outcome is Reload.OK

    def renew(self, _: Forked) -> None:
        """In a forked child: it does not serve there, so the child may have its own."""
        if _by_registry.get(self._registry) is self:
            del _by_registry[self._registry]

    @property
    def url(self) -> str:
        """Where the landing page is, such as http://127.0.0.1:9464."""
        if self._server is None:
            reason = "is not running; call start() first" if self._running is None else self._served
            raise ConfigError(f"this Manometer {reason}")
        return self._server.url

    @property
    def _served(self) -> str:
        nothing = "nothing, as its setting serve is off"
        return f"serves {nothing if self._server is None else self._server.url}"

    def __enter__(self) -> Self:
        return self if self._running is not None else self.start()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        leave_reports(error)
        self.close()

    def _start(self, started: ExitStack) -> Server | None:
        """Start the parts in such an order that the last ones started are the first to stop."""
        settings, registry = self.settings, self._registry
        live = self._live = Live(settings)
        checks = Checks.on(registry)
        worker = worker_of(registry, settings)
        site = site_of(registry, settings, worker, checks.all)
        started.callback(SelfMetrics.of(registry).forget_configurations)
        server = server_of(site, settings, worker) if settings.serve else None
        if server is not None:
            started.callback(server.close)  # where the port is taken, nothing else has been touched
        checks.lifecycle.drain_time = settings.drain_time  # for a Life that was given no settings
        started.callback(setattr, checks.lifecycle, "drain_time", None)
        started.enter_context(reporting(settings.crash_report, registry, settings.service_name))
        if settings.logs:
            started.callback(log(registry, settings))
            live.on_change(["log_level"], log_level)
        started.callback(measure(registry))
        started.callback(memory_watch(settings))
        if settings.db_client_connections:
            started.callback(database.show(registry))
        with _needing_threads():
            checks.start(settings.health_interval)
        started.callback(checks.stop)
        live.on_change(["health_interval"], lambda new: checks.start(new.health_interval))
        sending = sending_of(registry, worker)
        started.callback(end_sending, registry)  # behind the worker, and before what is measured goes
        sending.follow(settings)
        live.on_change(FOLLOWED, sending.follow)
        if worker is not None:
            worker.start()
            started.callback(worker.stop)
        started.callback(Handover(settings, site.registry, registry).close)

        def show(new: Settings) -> None:
            if worker is not None:
                worker.patience = new.collector_timeout
            if server is not None:
                server.show(replace(site, patience=new.collector_timeout), new.allowed_hosts)

        live.on_change(["allowed_hosts", "collector_timeout"], show)
        with _needing_threads():
            if settings.reload_on_sighup:
                started.callback(self._reloading_on_hangup())
            if server is not None:
                server.start()
                started.callback(server.close)
        started.callback(hold_gc_policy(settings.gc_thresholds, freeze=settings.gc_freeze))
        return server

    def _reloading_on_hangup(self) -> Callable[[], None]:
        if self._load is None:
            raise ConfigError("reload_on_sighup needs to know what to read: pass load=... beside the settings")
        return on_hangup(self.reload)


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
    *,
    profile: str | None = None,
    **settings: Unpack[SettingValues],
) -> Manometer:
    """Start a Manometer that is closed when the program ends.

    path: a YAML file of settings; profile: which of its profiles counts; settings: those of Settings by name, such as
    `port=9500`. The three are what `Manometer.reload` reads again.
    """
    expect(CollectorRegistry, registry, "start(registry)")
    load = partial(Settings.load, path, profile=profile, **settings)
    manometer = Manometer(registry=registry, load=load).start()
    atexit.register(manometer.close)
    return manometer


_by_registry: dict[CollectorRegistry, Manometer] = {}
"""Those that run."""
called_in_child(flush_after_jobs)
