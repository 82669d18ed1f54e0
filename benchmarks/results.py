"""The last committed run, `results.json`, as a table of Markdown."""

import json
from collections.abc import Sequence
from pathlib import Path

__all__ = ["PATH", "table"]

PATH = Path(__file__).with_name("results.json")


def table(names: Sequence[str] = ()) -> str:
    """The rows of the run, or those of these names in their order; below them, what was run."""
    results = json.loads(PATH.read_text())
    rows = results["rows"]
    if names:
        by_name = {row["name"]: row for row in rows}
        if missing := [name for name in names if name not in by_name]:
            raise SystemExit(f"{PATH} has no row {missing[0]!r}; there are {', '.join(by_name)}")
        rows = [by_name[name] for name in names]
    lines = ["| measured | against | figure | target | |", "| --- | --- | --- | --- | --- |"]
    lines += map(_line, rows)
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return "\n".join([*lines, "", f"Python {results['python']}, {versions}."])


def _line(row: dict[str, object]) -> str:
    bound = ""
    if row["target"] is not None:
        bound = f"{'at most' if row['at_most'] else 'at least'} {row['target']:,g}"
    missed = " (missed)" if row["met"] is False else ""
    figure = f"{row['figure']:,.3g}" if row["figure"] < 1000 else f"{row['figure']:,.0f}"
    return f"| {row['name']} | {row['against']} | {figure} {row['unit']} | {bound}{missed} | {row['detail']} |"
