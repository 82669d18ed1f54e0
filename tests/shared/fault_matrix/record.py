"""The committed run, `record.json`, as a table of Markdown."""

import json
from pathlib import Path

from fault_matrix.expectations import FAULTS

__all__ = ["PATH", "in_short", "table"]

PATH = Path(__file__).with_name("record.json")


def table(run=None):
    """Who was told of what for each fault. run: by default the committed one."""
    run = json.loads(PATH.read_text()) if run is None else run
    head = ("what is wrong", "page", "ticket or advice", "notifications until the end", "the end was told", "pace")
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    for fault in FAULTS:
        if (seen := run.get(fault.name)) is not None:
            told = [_alerts(seen, "critical"), _lesser(fault, seen), _count(seen), _end(seen)]
            pace = f"{fault.pace * seen['pace']:g}"
            lines.append(f"| {' | '.join([fault.does, *told, pace])} |")
    pythons = ", ".join(sorted({each["python"] for each in run.values()}))
    return "\n".join([*lines, "", f"The pace is how many times as fast as shipped the clock went. Python {pythons}."])


def in_short(run=None):
    """What comes of which faults, in four rows."""
    run = json.loads(PATH.read_text()) if run is None else run
    kinds = {"one page": "critical", "a ticket": "warning", "advice": "info"}
    told = {kind: [] for kind in (*kinds, "nothing")}
    for fault in FAULTS:
        if (seen := run.get(fault.name)) is not None:
            kind = next((kind for kind, severity in kinds.items() if _alerts(seen, severity)), "nothing")
            alerts = _alerts(seen, kinds[kind]) if kind in kinds else ""
            told[kind].append(f"{fault.does} ({alerts})" if alerts else fault.does)
    lines = [f"| {kind} | {'; '.join(faults)} |" for kind, faults in told.items()]
    return "\n".join(["| what comes of it | what is wrong |", "| --- | --- |", *lines])


def _lesser(fault, seen):
    """The tickets; without one, the advice that the fault is to bring."""
    return _alerts(seen, "warning") or (_alerts(seen, "info") if fault.advice else "")


def _alerts(seen, severity):
    return ", ".join(f"`{alert}`" for told, alert in seen["fired"] if told == severity)


def _count(seen):
    kinds = {"page": seen["pages"], "ticket": seen["tickets"]}
    return ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items() if count) or "none"


def _end(seen):
    if not seen["pages"] + seen["tickets"]:
        return ""
    return "yes" if seen["ended"] and not seen["lasting"] else "no"
