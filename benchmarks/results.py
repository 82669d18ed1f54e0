"""The committed runs as tables of Markdown: `results.json` by the clock, `instructions.json` by counting."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["COUNTS", "PATH", "counts", "table"]

PATH = Path(__file__).with_name("results.json")
COUNTS = Path(__file__).with_name("instructions.json")


def table(names: Sequence[str] = ()) -> str:
    """The rows of the run, or those of these names in their order; below them, what was run."""
    results = json.loads(PATH.read_text())
    rows = results["rows"]
    if names:
        by_name = {row["name"]: row for row in rows}
        if missing := [name for name in names if name not in by_name]:
            raise SystemExit(f"{PATH} has no row {missing[0]!r}; there are {', '.join(by_name)}")
        rows = [by_name[name] for name in names]
    return _markdown(results, rows)


def counts() -> str:
    """The rows of each run that was counted, an interpreter after the other."""
    runs = json.loads(COUNTS.read_text())
    return "\n\n".join(_markdown(run, run["rows"]) for run in runs)


def _markdown(run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| measured | against | figure | target | |", "| --- | --- | --- | --- | --- |"]
    lines += map(_line, rows)
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    return "\n".join([*lines, "", f"Python {run['python']}, {versions}."])


def _line(row: Mapping[str, Any]) -> str:
    bound = ""
    if row["target"] is not None:
        bound = f"{'at most' if row['at_most'] else 'at least'} {row['target']:,g}"
    missed = " (missed)" if row["met"] is False else ""
    figure = f"{row['figure']:,.3g}" if row["figure"] < 1000 else f"{row['figure']:,.0f}"
    return f"| {row['name']} | {row['against']} | {figure} {row['unit']} | {bound}{missed} | {row['detail']} |"
