"""What `run.py` measured of the analytics in simulated weeks, for the documentation."""

import json
from pathlib import Path

__all__ = ["PATH", "summary", "table"]

PATH = Path(__file__).with_name("weeks.json")


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
        f" known. Of {faults} faults of an hour, {found} raised the alarm. Alarms that rang outside of the faults"
        f" because of them, such as an echo a day or a week later: {echoes}."
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
