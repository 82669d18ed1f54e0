"""A run of benchmarks: its rows, what it was made with, and how it is kept in a file."""

import platform
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import stdev
from typing import Any, Self

from measure import Row

__all__ = ["REPEATS", "Run", "cpu", "made_with", "repeated"]

REPEATS = 5
"""Times that each row is measured, each in a process of its own."""


@dataclass(frozen=True)
class Run:
    """made_with: what has to be alike in two runs before a difference of their figures says something of the code."""

    made_with: Mapping[str, object]
    rows: Sequence[Row]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The run that `content` was made of."""
        fields = [{name: value for name, value in row.items() if name != "met"} for row in content["rows"]]
        return cls(
            {name: value for name, value in content.items() if name != "rows"}, [Row(**each) for each in fields]
        )

    def content(self) -> dict[str, object]:
        """The run as JSON has it."""
        return {**self.made_with, "rows": [asdict(row) | {"met": row.met} for row in self.rows]}


def made_with(peers: Iterable[str]) -> dict[str, object]:
    """This interpreter and the versions of the peers."""
    build = f"{platform.python_compiler()} {sysconfig.get_config_var('OPT')}"
    if "--enable-optimizations" in sysconfig.get_config_var("CONFIG_ARGS"):
        build += " --enable-optimizations"
    return {
        "python": platform.python_version(),
        "build": build,
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {peer: version(peer) for peer in peers},
    }


def cpu() -> str:
    """The processor's name, as far as the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def repeated(repeats: Iterable[Sequence[Row]]) -> list[Row]:
    """The middle one of the rows of each name, with the standard deviation of their figures as its spread."""
    by_name: dict[str, list[Row]] = {}
    for rows in repeats:
        for row in rows:
            by_name.setdefault(row.name, []).append(row)
    return [_middle(rows) for rows in by_name.values()]


def _middle(rows: Sequence[Row]) -> Row:
    figures = [row.figure for row in rows]
    middle = sorted(rows, key=lambda row: row.figure)[len(rows) // 2]
    return replace(middle, spread=stdev(figures))
