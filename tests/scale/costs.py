"""What the rules cost with many instances, for the documentation: the run of `run.py` that is kept in `cost.json`."""

import json
from pathlib import Path

__all__ = ["COUNTS", "PATH", "read", "table"]

PATH = Path(__file__).with_name("cost.json")
COUNTS = Path(__file__).with_name("samples.json")

_MEANT = 1000  # instances


def read():
    """The record of the run that is kept."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def table(record):
    """A line a group and one of all together, as Markdown."""
    rows = [
        (f"`{name}`", f"{each['rules']}", f"{each['interval']} s", f"{each['seconds']:.2f} s", _share(each))
        for name, each in record["groups"].items()
    ]
    total = sum(each["seconds"] / each["interval"] for each in record["groups"].values())
    lines = [
        ("group", "rules", "interval", "processor time of an evaluation", "of one processor"),
        ("---",) * 5,
        *rows,
        ("all", f"{sum(each['rules'] for each in record['groups'].values())}", "", "", f"**{total:.1%}**"),
    ]
    told = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    what = (
        f"{record['instances']:,} instances of one job, each with the {record['series']} series of ALL-USE that rules"
        f" read, scraped every 15 seconds:\n\n{told}"
    )
    if record["instances"] == _MEANT:
        return what
    in_proportion = _MEANT / record["instances"] * total
    return f"{what}\n\nIn proportion, {_MEANT:,} instances take {in_proportion:.0%} of one processor."


def _share(group):
    return f"{group['seconds'] / group['interval']:.2%}"
