"""The options that `demo` and `run` share, and the service that they ask for."""

import argparse
import os
from pathlib import Path
from typing import Any

from alluse.cli.arguments import number, port
from alluse.errors import SettingsError
from alluse.faults import FAULTS, Fault
from alluse.load import RATES
from alluse.service import Service
from alluse.settings import TEMPORARY_BOOK, Settings
from manometer import Settings as MetricsSettings

__all__ = ["add_options", "service"]

_SECONDS = (0.001, 1e9)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--rate", type=number(*RATES), default=20.0, metavar="N", help="workflows a second (default: 20)"
    )
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
        default=TEMPORARY_BOOK,
        metavar="URL",
        help="database of the book: sqlite:///book.sqlite, postgresql://user@host/database, or none "
        "(default: a SQLite file that goes with the program)",
    )
    parser.add_argument(
        "--csv",
        type=Path,
        action="append",
        default=[],
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
    parser.add_argument("--otlp", metavar="URL", help="OTLP/HTTP receiver that spans go to")
    parser.add_argument("--log-file", type=Path, metavar="FILE", help="file that logs go to, in 10 MB pieces, 5 kept")


def service(given: argparse.Namespace, log_file: Path | None) -> Service:
    """What the options ask for; SettingsError or FaultError where one of them cannot be had."""
    if log_file is not None:
        _check_writable(log_file)
    metrics: dict[str, Any] = {"logs": True, "log_file": None if log_file is None else str(log_file)}
    metrics |= {
        name: value
        for name, value in (("host", given.host), ("port", given.port), ("otlp_endpoint", given.otlp))
        if value is not None
    }
    return Service(
        settings=Settings(csv=tuple(given.csv), book=given.book),
        rate=given.rate,
        metrics=MetricsSettings.load(environ={"OTEL_SERVICE_NAME": "alluse", **os.environ}, **metrics),
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
