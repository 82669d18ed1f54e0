"""`manometer certify`: check what a service promises against its live series in a Prometheus."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from manometer.cli.certify.certificate import certified
from manometer.cli.certify.promises import promises_of
from manometer.cli.prometheus import Prometheus
from manometer.config.mistakes import SettingsError
from manometer.errors import ConfigError

__all__ = ["add_parser", "run"]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "certify",
        help="check what a service promises against its live figures",
        description="Check the promises of a file against the live series of a Prometheus, and print a certificate. "
        "The exit status is 0 where all are kept, 1 where one is broken or has no figure, and 2 where that could not "
        "be found out.",
    )
    parser.add_argument("--prometheus", required=True, metavar="URL", help="such as http://127.0.0.1:9090")
    parser.add_argument("--against", required=True, metavar="FILE", type=Path, help="YAML of the promises")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write DIR/certificate.md and DIR/certificate.json")
    parser.add_argument("--json", action="store_true", help="print JSON in the place of Markdown")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the promises, and tell what was found."""
    try:
        promises = promises_of(args.against)
    except SettingsError as error:
        sys.stderr.writelines(f"manometer: {mistake}\n" for mistake in error.mistakes)
        return 2
    prometheus = Prometheus(args.prometheus)
    certificate = certified(promises, prometheus.query, prometheus.name, datetime.now(UTC))
    document = json.dumps(certificate.document(), indent=2, ensure_ascii=False) + "\n"
    markdown = certificate.markdown()
    if args.out is not None:
        _write(args.out, {"certificate.md": markdown, "certificate.json": document})
    sys.stdout.write(document if args.json else markdown)
    return 0 if certificate.holds else 1


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}; give another by --out") from None
