"""`manometer serve`: show the figures of a directory of worker processes, from a process that is none of them."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from prometheus_client import CollectorRegistry

from manometer.config import Settings
from manometer.errors import ConfigError
from manometer.health import lifecycle
from manometer.life import Life
from manometer.life.last_report import reporting
from manometer.serving.pages import Site
from manometer.serving.server import AddressError, Server

__all__ = ["add_parser", "run"]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "serve",
        help="show the figures of a program's worker processes",
        description="Serve /metrics for worker processes that share their figures in a directory, "
        "those of prometheus-client's multiprocess mode among them. Settings are read as a program reads its own.",
    )
    parser.add_argument("dir", nargs="?", metavar="DIR", help="their directory (default: the setting processes_dir)")
    parser.add_argument("--host", help="address to listen on (default: the setting host)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one (default: the setting port)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until the process is told to end, by SIGTERM, Ctrl-C or the end of its terminal."""
    given = {"processes_dir": args.dir, "host": args.host, "port": args.port}
    settings = Settings.load(**{name: value for name, value in given.items() if value is not None})
    if settings.processes_dir is None:
        raise ConfigError("which processes? name their directory, or set MANOMETER_PROCESSES_DIR")
    path = Path(settings.processes_dir)
    if not path.is_dir():
        raise ConfigError(f"{path} is no directory; name the one that the workers have as processes_dir")
    own = CollectorRegistry()  # what is counted there is not among the figures of the processes
    with Life(settings, registry=own) as life:
        life.start(reporting(settings.crash_report, own, settings.service_name))
        server = life.start(closing(_serving(path, settings, own)))
        life.ready()
        sys.stdout.write(f"{server.url}/metrics\n")
        sys.stdout.flush()
        life.wait()
    return 0


def _serving(path: Path, settings: Settings, own: CollectorRegistry) -> Server:
    from manometer.processes import onlooker  # slow to import, and other commands do not need it

    site = Site(
        onlooker(path),
        service=settings.service_name,
        own=own,
        patience=settings.collector_timeout,
        lifecycle=lifecycle(own),
    )
    try:
        return Server(site, settings.host, settings.port, allowed_hosts=settings.allowed_hosts).start()
    except AddressError as error:
        option = f"set MANOMETER_{error.setting.upper()} or pass --{error.setting}"
        raise ConfigError(f"{error.reason}; {option}") from None
