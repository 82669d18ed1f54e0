"""The committed run of the fuzzer, `record.json`, as a table of Markdown."""

import json
from pathlib import Path

__all__ = ["PATH", "table"]

PATH = Path(__file__).with_name("record.json")


def table() -> str:
    """What was sent, and what the exporter's process took at most."""
    run = json.loads(PATH.read_text())
    first, most = run["first"], run["most"]
    statuses = ", ".join(f"{count:,} {kind}" for kind, count in run["answers"].items() if kind.isdigit())
    rows = {
        "seed, and time": f"{run['seed']}, {run['seconds']:,} s",
        "requests": f"{run['requests']:,}",
        "answers, by status": statuses,
        "looks at the exporter, in which all was well": f"{run['checks']:,}",
        "threads": f"{first['threads']} at first, {most['threads']} at most",
        "file descriptors": f"{first['descriptors']} at first, {most['descriptors']} at most",
        "memory": f"{first['memory'] / 1e6:.0f} MB at first, {most['memory'] / 1e6:.0f} MB at most",
    }
    return "\n".join(
        ["| measured | |", "| --- | --- |", *(f"| {name} | {figure} |" for name, figure in rows.items())]
    )
