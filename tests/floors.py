"""Writes the constraints of an environment of the oldest versions: python tests/floors.py > constraints.txt

pyproject.toml says which versions of the libraries are the oldest. All else stays as constraints.txt has it,
but for what the old versions bring themselves.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

BROUGHT = {
    "backoff": "2.2.1",
    "commonmark": "0.9.2",
    "Deprecated": "1.2.18",
    "greenlet": "3.5.6",
    "googleapis-common-protos": "1.66.0",
    "importlib_metadata": "6.11.0",
    "opentelemetry-exporter-otlp-proto-common": None,
    "opentelemetry-exporter-otlp-proto-grpc": None,
    "opentelemetry-exporter-otlp": None,
    "opentelemetry-proto": None,
    "opentelemetry-semantic-conventions": None,
    "protobuf": "4.25.8",
    "psycopg-binary": None,
    "wrapt": "1.17.3",
    "zipp": "3.23.0",
}
"""What OpenTelemetry's oldest packages need, and in which version; None where they say so themselves."""


def main() -> None:
    """Print the constraints."""
    pins = dict(line.split("==", 1) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split())
    oldest = dict(floors())
    replaced = {normal(name) for name in (*oldest, *BROUGHT)}
    kept = {name: version for name, version in pins.items() if normal(name) not in replaced}
    for name, version in {**kept, **BROUGHT, **oldest}.items():
        if version is not None:
            sys.stdout.write(f"{name}=={version}\n")


def floors() -> Iterator[tuple[str, str]]:
    """The libraries that are needed, those of the extras, and the tests' own, each with its oldest version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tests = (ROOT / "tests" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for requirements in (project["dependencies"], *project["optional-dependencies"].values(), tests):
        for requirement in requirements:
            if found := re.match(r"([\w-]+)(?:\[\w+\])?>=([\w.]+)", requirement):
                yield found[1], found[2]


def normal(name: str) -> str:
    """A name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
