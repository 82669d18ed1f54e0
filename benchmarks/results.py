"""The last committed run, `results.json`, as a table of Markdown."""

import json
from pathlib import Path

__all__ = ["PATH", "table"]

PATH = Path(__file__).with_name("results.json")


def table(*, targets_only: bool) -> str:
    """The rows of the run, or those that have a target; below them, what was run."""
    results = json.loads(PATH.read_text())
    lines = ["| measured | against | figure | target | |", "| --- | --- | --- | --- | --- |"]
    lines += [_line(row) for row in results["rows"] if row["target"] is not None or not targets_only]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return "\n".join([*lines, "", f"Python {results['python']}, {versions}."])


def _line(row: dict[str, object]) -> str:
    bound = ""
    if row["target"] is not None:
        bound = f"{'at most' if row['at_most'] else 'at least'} {row['target']:,g}"
    missed = " (missed)" if row["met"] is False else ""
    figure = f"{row['figure']:,.3g}" if row["figure"] < 1000 else f"{row['figure']:,.0f}"
    return f"| {row['name']} | {row['against']} | {figure} {row['unit']} | {bound}{missed} | {row['detail']} |"
