"""wsgi_app and asgi_app: the exporter's pages in a program that has a web server of its own."""

import os
from typing import Unpack

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.app.arguments import expect
from manometer.app.exported import memory_watch, send_to_the_end, site_of, starting, worker_of
from manometer.config import Settings, SettingValues
from manometer.flushing import flush
from manometer.health import Check, Checks
from manometer.instrumentation.pool import database
from manometer.life.last_report import report_to_the_end
from manometer.process import measure_to_the_end
from manometer.serving import asgi, wsgi
from manometer.serving.site import Site

__all__ = ["asgi_app", "wsgi_app"]


def wsgi_app(
    registry: CollectorRegistry = REGISTRY,
    path: str | os.PathLike[str] | None = None,
    *,
    profile: str | None = None,
    **settings: Unpack[SettingValues],
) -> wsgi.WsgiApp:
    """The exporter's pages as a WSGI application, for a program that has a web server of its own.

    Mounted at `/metrics`, it answers with the figures there: of all worker processes, where the setting
    `processes_dir` says where they share them. The process, its garbage collector and the host are measured from
    now on, as `start` does, and spans and metrics are sent where the settings say so. The first request for `/readyz`
    starts the health checks, in whichever worker process it comes to.
    path, profile, settings: as for start; those of the address and `web_config_file` do not matter here, as the
    program's own server decides who may ask. They hold until the process ends.
    """
    expect(CollectorRegistry, registry, "wsgi_app(registry)", call="wsgi_app")
    return wsgi.wsgi_app(_site(registry, Settings.load(path, profile=profile, **settings)))


def asgi_app(
    registry: CollectorRegistry = REGISTRY,
    path: str | os.PathLike[str] | None = None,
    *,
    profile: str | None = None,
    **settings: Unpack[SettingValues],
) -> asgi.AsgiApp:
    """The exporter's pages as an ASGI application; see wsgi_app.

    When the server tells it of its end (ASGI's `lifespan.shutdown`), it writes the last figures for `processes_dir`.
    A server such as uvicorn then ends by a signal, and runs no code any more.
    """
    expect(CollectorRegistry, registry, "asgi_app(registry)", call="asgi_app")
    return asgi.asgi_app(_site(registry, Settings.load(path, profile=profile, **settings)), flush)


def _site(registry: CollectorRegistry, settings: Settings) -> Site:
    with starting:
        measure_to_the_end(registry)  # nobody closes an application
        if settings.crash_report is not None:
            report_to_the_end(settings.crash_report, registry, settings.service_name)
        memory_watch(settings)
    if settings.db_client_connections:
        database.show(registry)
    worker = worker_of(registry, settings)
    with starting:
        send_to_the_end(registry, settings, worker)
    if worker is not None:
        worker.start()

    def checks() -> list[Check]:
        found = Checks.on(registry)
        found.start()
        return found.all()

    return site_of(registry, settings, worker, checks)
