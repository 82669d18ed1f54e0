"""The options that `demo` and `run` share, and the service that they ask for."""

import argparse
import os
from pathlib import Path

from alluse.cli.arguments import number, port
from alluse.configuration import Both, Configuration
from alluse.errors import SettingsError
from alluse.faults import FAULTS, Fault
from alluse.load import RATES
from alluse.service import Service

__all__ = ["add_options", "service"]

_SECONDS = (0.001, 1e9)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="YAML file of settings (default: what MANOMETER_CONFIG_FILE names)",
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="profile of that file (default: what MANOMETER_PROFILE names)"
    )
    parser.add_argument("--rate", type=number(*RATES), metavar="N", help="workflows a second (default: 20)")
    parser.add_argument("--port", type=port, metavar="N", help="port of the exporter (default: 9464)")
    parser.add_argument("--host", metavar="ADDRESS", help="address of the exporter (default: 127.0.0.1)")
    parser.add_argument(
        "--control-port",
        type=port,
        metavar="N",
        help="port of the control endpoint (default: the one after the exporter's where that is free)",
    )
    parser.add_argument(
        "--book",
        metavar="URL",
        help="database of the book: sqlite:///book.sqlite, postgresql://user@host/database, or none "
        "(default: a SQLite file that goes with the program)",
    )
    parser.add_argument(
        "--csv",
        type=Path,
        action="append",
        metavar="FILE",
        help="prices in the place of the bundled ones: date,open,high,low,close,volume; once a symbol",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[=RATE[:SECONDS]]",
        help=f"switch a fault on; there are {', '.join(FAULTS)}",
    )
    parser.add_argument("--seconds", type=number(*_SECONDS), metavar="N", help="stop after that many seconds")
    parser.add_argument("--otlp", metavar="URL", help="OTLP/HTTP receiver that spans and metrics go to")
    parser.add_argument("--log-file", type=Path, metavar="FILE", help="file that logs go to, in 10 MB pieces, 5 kept")


def service(given: argparse.Namespace, log_file: Path | None) -> Service:
    """What the options ask for; an AllUseError or a manometer ConfigError where one of them cannot be had."""
    if log_file is not None:
        _check_writable(log_file)
    csv = None if given.csv is None else tuple(given.csv)
    metrics = {"host": given.host, "port": given.port, "otlp_endpoint": given.otlp}
    logs = {"logs": True, "log_file": None if log_file is None else str(log_file)}
    return Service(
        Both(
            Configuration(
                given.config,
                given.profile,
                engine={"rate": given.rate, "csv": csv, "book": given.book},
                metrics={**metrics, **logs},
            )
        ),
        control_port=given.control_port,
        faults=[Fault.parse(text) for text in given.fault],
    )


def _check_writable(file: Path) -> None:
    folder = file.absolute().parent
    if not folder.is_dir():
        raise SettingsError(f"--log-file is {file}; there is no folder {folder}")
    if file.is_dir():
        raise SettingsError(f"--log-file is {file}; that is a folder")
    if not os.access(file if file.exists() else folder, os.W_OK):
        raise SettingsError(f"--log-file is {file}; nothing can be written there")
