"""The committed run, `record.json`, as a table of Markdown."""

import json
from pathlib import Path

from fault_matrix.expectations import FAULTS

__all__ = ["PATH", "in_short", "table"]

PATH = Path(__file__).with_name("record.json")


def table(run=None):
    """Who was told of what for each fault. run: by default the committed one."""
    run = json.loads(PATH.read_text()) if run is None else run
    lines = ["| what is wrong | page | ticket | notifications until the end | the end was told |", "| --- " * 5 + "|"]
    for fault in FAULTS:
        if (seen := run["faults"].get(fault.name)) is not None:
            told = [_alerts(seen, "critical"), _alerts(seen, "warning"), _count(seen), _end(seen)]
            lines.append(f"| {fault.does}{_clock(fault, run)} | {' | '.join(told)} |")
    return "\n".join([*lines, "", f"At {run['pace']:g} times the pace of production. Python {run['python']}."])


def in_short(run=None):
    """What comes of which faults, in four rows."""
    run = json.loads(PATH.read_text()) if run is None else run
    kinds = {"one page": "critical", "a ticket": "warning", "advice": "info"}
    told = {kind: [] for kind in (*kinds, "nothing")}
    for fault in FAULTS:
        if (seen := run["faults"].get(fault.name)) is not None:
            kind = next((kind for kind, severity in kinds.items() if _alerts(seen, severity)), "nothing")
            alerts = _alerts(seen, kinds[kind]) if kind in kinds else ""
            told[kind].append(f"{fault.does} ({alerts})" if alerts else fault.does)
    lines = [f"| {kind} | {'; '.join(faults)} |" for kind, faults in told.items()]
    return "\n".join(["| what comes of it | what is wrong |", "| --- | --- |", *lines])


def _alerts(seen, severity):
    return ", ".join(f"`{alert}`" for told, alert in seen["fired"] if told == severity)


def _count(seen):
    kinds = {"page": seen["pages"], "ticket": seen["tickets"]}
    return ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items() if count) or "none"


def _end(seen):
    if not seen["pages"] + seen["tickets"]:
        return ""
    return "yes" if seen["ended"] and not seen["lasting"] else "no"


def _clock(fault, run):
    return f" (pace {fault.pace * run['pace']:g})" if fault.pace > 1 else ""
