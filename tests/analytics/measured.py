"""What was measured of the analytics, for the documentation: by `run.py` in simulated weeks, and by `cost.py`."""

import json
from pathlib import Path

__all__ = ["COST", "PATH", "cost", "summary", "table"]

PATH = Path(__file__).with_name("weeks.json")
COST = Path(__file__).with_name("cost.json")


def cost():
    """What an evaluation costs, in sentences."""
    ran = json.loads(COST.read_text(encoding="utf-8"))
    taken = ran["seconds"]
    share = sum(taken.values()) / ran["interval"]
    return (
        f"With {ran['instances']:,} instances of one job, each with {ran['series']} of the series that the signals"
        f" read, an evaluation took {taken['signals']:.2f} s of processor time for the {ran['count']} signals and"
        f" {taken['template']:.2f} s for all that is made of them: together {share:.1%} of one processor at an"
        f" evaluation every {ran['interval']} seconds."
    )


def summary():
    """What was simulated and what came of it, in sentences."""
    ran = json.loads(PATH.read_text(encoding="utf-8"))
    rates = " or ".join(f"{rate:g}" for rate in ran["requests"])
    young, alarms, found, faults, echoes = (
        sum(row[key] for row in ran["signals"].values())
        for key in ("young_alarms", "alarms", "found", "faults", "echoes")
    )
    return (
        f"In {ran['weeks']} weeks of services with {rates} requests a second at noon, the {len(ran['signals'])}"
        f" signals of each raised **{alarms} false alarms**, and {young} in the nine days before the weekly score was"
        f" known. Of {faults} faults of an hour, {found} raised the alarm. {echoes} alarms rang outside of the faults"
        " because of them, such as an echo a day or a week later."
    )


def table():
    """A line a signal, as Markdown."""
    rows = json.loads(PATH.read_text(encoding="utf-8"))["signals"]
    lines = [
        ("signal", "false alarms", "highest score", "fault of an hour", "found", "came to lie in the band"),
        ("---",) * 6,
        *(
            (
                f"`{name}`",
                f"{row['alarms']}",
                f"{row['highest']:.1f}",
                row["fault"],
                f"{row['found']} of {row['faults']}",
                f"{row['inside']:.0%}",
            )
            for name, row in rows.items()
        ),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
