"""`manometer serve`: show the figures of a directory of worker processes, from a process that is none of them."""

import argparse
import os
import sys
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from manometer.config import Live, Settings, SettingValues
from manometer.errors import ConfigError
from manometer.health import lifecycle
from manometer.life import Life
from manometer.life.last_report import reporting
from manometer.registry.self_metrics import SelfMetrics
from manometer.serving.pages import Site
from manometer.serving.server import AddressError, Server
from manometer.serving.slots import Slots

__all__ = ["add_parser", "run"]

_OPTIONS = {"host": "--host", "port": "--port", "listen_addresses": "--web.listen-address"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "serve",
        help="show the figures of a program's worker processes",
        description="Serve /metrics for worker processes that share their figures in a directory, "
        "those of prometheus-client's multiprocess mode among them. Settings are read as a program reads its own, "
        "and again at SIGHUP.",
    )
    parser.add_argument("dir", nargs="?", metavar="DIR", help="their directory (default: the setting processes_dir)")
    parser.add_argument("--host", help="address to listen on (default: the setting host)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one (default: the setting port)")
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings file (default: MANOMETER_CONFIG_FILE)")
    parser.add_argument("--profile", metavar="NAME", help="profile of the file (default: MANOMETER_PROFILE)")
    parser.add_argument(
        "--web.listen-address",
        dest="listen_addresses",
        action="append",
        metavar="ADDRESS",
        help="in place of host and port, as in 127.0.0.1:9464, [::1]:9464, :9464 for every address, "
        "unix:/run/app.sock; may be given several times (default: the setting listen_addresses)",
    )
    parser.add_argument(
        "--web.telemetry-path",
        dest="telemetry_path",
        metavar="PATH",
        help="path of the figures (default: the setting telemetry_path)",
    )
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        metavar="FILE",
        help="TLS, users, headers and a rate, as exporter-toolkit has them (default: the setting web_config_file)",
    )
    parser.add_argument(
        "--web.max-requests",
        dest="max_requests",
        type=int,
        metavar="N",
        help="scrapes that are answered at once (default: the setting max_requests)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until the process is told to end, by SIGTERM or Ctrl-C. SIGHUP has the settings read again."""
    load = partial(Settings.load, args.config, profile=args.profile, options=_options(args), **_instead(args))
    settings = load()
    if settings.processes_dir is None:
        raise ConfigError("which processes? name their directory, or set MANOMETER_PROCESSES_DIR")
    path = Path(settings.processes_dir)
    _need_readable(path)
    own, live = CollectorRegistry(), Live(settings)
    reloads = SelfMetrics.of(own).settings

    def reload() -> None:
        reloads.ended(live.reload(load).value)

    with Life(settings, registry=own) as life:
        life.start(reporting(settings.crash_report, own, settings.service_name))
        server = life.start(closing(_serving(path, live, own)))
        reloads.started()
        with suppress(ConfigError):  # where there is no such signal
            life.on_reload(reload)
        life.ready()
        for url in server.urls:
            sys.stdout.write(f"{url if url.startswith('unix:') else url + settings.telemetry_path}\n")
        sys.stdout.flush()
        life.wait()
    return 0


def _need_readable(path: Path) -> None:
    """Raise ConfigError where this user can read no directory there."""
    try:
        with os.scandir(os.path.join(path, ".")):  # noqa: PTH118 - a Path drops the dot, by which its files are reached
            return
    except (FileNotFoundError, NotADirectoryError):
        reason = f"{path} is no directory; name the one that the workers have as processes_dir"
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror}); serve as a user who may read it"
    raise ConfigError(reason)


def _serving(path: Path, live: Live[Settings], own: CollectorRegistry) -> Server:
    """Serve the directory; the settings that may change are followed."""
    from manometer.processes import onlooker  # slow to import, and other commands do not need it

    settings = live.settings
    site = Site(
        onlooker(path, own),
        service=settings.service_name,
        own=own,
        patience=settings.collector_timeout,
        scrapes=Slots(settings.max_requests),
        figures=settings.telemetry_path,
        lifecycle=lifecycle(own),
    )
    try:
        server = Server(
            site,
            settings.host,
            settings.port,
            listen_addresses=settings.listen_addresses,
            web_config_file=settings.web_config_file,
            allowed_hosts=settings.allowed_hosts,
        )
    except AddressError as error:
        option = f"set MANOMETER_{error.setting.upper()} or pass {_OPTIONS[error.setting]}"
        raise ConfigError(f"{error.reason}; {option}") from None

    def show(new: Settings) -> None:
        server.show(replace(site, patience=new.collector_timeout), new.allowed_hosts)

    live.on_change(["allowed_hosts", "collector_timeout"], show)
    return server.start()


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that the command line names."""
    names = ("host", "port", "telemetry_path", "web_config_file", "max_requests")
    given = {name: getattr(args, name) for name in names}
    if args.listen_addresses and _is_plain(args):
        raise ConfigError("--web.listen-address is in place of --host and --port; give one or the other")
    addresses = ",".join(args.listen_addresses) if args.listen_addresses else None
    return given | {"processes_dir": args.dir, "listen_addresses": addresses}


def _instead(args: argparse.Namespace) -> SettingValues:
    """What holds whatever the file and the environment say."""
    return {"listen_addresses": None} if _is_plain(args) else {}


def _is_plain(args: argparse.Namespace) -> bool:
    return args.host is not None or args.port is not None
