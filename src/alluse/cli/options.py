"""The options that `demo` and `run` share, and the service that they ask for."""

import argparse
from pathlib import Path
from typing import Any

from alluse.errors import SettingsError
from alluse.faults import FAULTS, Fault
from alluse.service import Service
from alluse.settings import TEMPORARY_BOOK, Settings

__all__ = ["add_options", "service"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("--rate", type=float, default=20.0, metavar="N", help="workflows a second (default: 20)")
    parser.add_argument("--port", type=int, metavar="N", help="port of the exporter (default: 9464)")
    parser.add_argument("--host", metavar="ADDRESS", help="address of the exporter (default: 127.0.0.1)")
    parser.add_argument(
        "--control-port",
        type=int,
        metavar="N",
        help="port of the control endpoint (default: the one after the exporter's)",
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
    parser.add_argument("--seconds", type=float, metavar="N", help="stop after that many seconds")
    parser.add_argument("--otlp", metavar="URL", help="OTLP/HTTP receiver that spans go to")
    parser.add_argument("--log-file", type=Path, metavar="FILE", help="file that logs go to, in 10 MB pieces, 5 kept")


def service(given: argparse.Namespace, log_file: Path | None) -> Service:
    """What the options ask for; SettingsError or FaultError where one of them cannot be had."""
    if given.seconds is not None and not given.seconds > 0:
        raise SettingsError(f"--seconds is {given.seconds:g}; it takes a number over 0")
    if log_file is not None and not log_file.absolute().parent.is_dir():
        raise SettingsError(f"--log-file is {log_file}; there is no folder {log_file.absolute().parent}")
    metrics: dict[str, Any] = {"logs": True, "log_file": None if log_file is None else str(log_file)}
    metrics |= {
        name: value
        for name, value in (("host", given.host), ("port", given.port), ("otlp_endpoint", given.otlp))
        if value is not None
    }
    return Service(
        settings=Settings(csv=tuple(given.csv), book=given.book),
        rate=given.rate,
        metrics=metrics,
        control_port=given.control_port,
        faults=[Fault.parse(text) for text in given.fault],
    )
