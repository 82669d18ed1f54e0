"""`manometer serve`: show the figures of a directory of worker processes, from a process that is none of them."""

import argparse
import sys
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from manometer.cli.ending import terminable
from manometer.config import Live, Settings
from manometer.errors import ConfigError
from manometer.hangup import on_hangup
from manometer.serving.pages import Site
from manometer.serving.server import AddressError, Server

__all__ = ["add_parser", "run"]

TICK = 0.5
"""Seconds after which a signal is heard at the latest."""


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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until the process is told to end, by SIGTERM or Ctrl-C. SIGHUP has the settings read again."""
    given = {"processes_dir": args.dir, "host": args.host, "port": args.port}
    load = partial(Settings.load, args.config, profile=args.profile, options=given)
    settings = load()
    if settings.processes_dir is None:
        raise ConfigError("which processes? name their directory, or set MANOMETER_PROCESSES_DIR")
    path = Path(settings.processes_dir)
    if not path.is_dir():
        raise ConfigError(f"{path} is no directory; name the one that the workers have as processes_dir")
    from manometer.processes import onlooker  # slow to import, and other commands do not need it

    try:
        own = CollectorRegistry()  # what is counted there is not among the figures of the processes
        site = Site(onlooker(path), service=settings.service_name, own=own, patience=settings.collector_timeout)
        server = Server(site, settings.host, settings.port, allowed_hosts=settings.allowed_hosts)
    except AddressError as error:
        option = f"set MANOMETER_{error.setting.upper()} or pass --{error.setting}"
        raise ConfigError(f"{error.reason}; {option}") from None

    def show(new: Settings) -> None:
        server.show(replace(site, patience=new.collector_timeout), new.allowed_hosts)

    live = Live(settings)
    live.on_change(["allowed_hosts", "collector_timeout"], show)
    with suppress(KeyboardInterrupt), terminable(), closing(server.start()), ExitStack() as taken:
        with suppress(ConfigError):  # where there is no such signal
            taken.callback(on_hangup(partial(live.reload, load)))
        sys.stdout.write(f"{server.url}/metrics\n")
        sys.stdout.flush()
        while True:
            # A signal that comes just before a wait is heard only after it.
            time.sleep(TICK)
    return 0
