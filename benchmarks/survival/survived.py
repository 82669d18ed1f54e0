"""The committed run, `survived.json`, as a table of Markdown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["PATH", "table"]

PATH = Path(__file__).with_name("survived.json")


def table(run: dict[str, Any] | None = None) -> str:
    """What was done, and what came of it. run: by default the committed one."""
    run = json.loads(PATH.read_text()) if run is None else run
    rows = [*_kills(run["kills"]), *_faults(run), *_spans(run["spans"])]
    lines = ["| what was done | what came of it |", "| --- | --- |", *(f"| {done} | {came} |" for done, came in rows)]
    return "\n".join([*lines, "", f"Python {run['python']}, {run['machine']}."])


def _kills(run: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield (
        f"{run['kills']} workers killed (SIGKILL) at random moments, while all of them count",
        f"{run['lost']:,} of {run['events']:,} events lost, none from over {run['oldest_lost']:.1f} s before a kill; "
        f"none of the {run['known_written']:,} that a `flush()` had written; none of the workers that SIGTERM ended",
    )
    yield (
        f"`manometer serve`, which shows them, killed and started again {run['exporter_kills']} times meanwhile",
        f"it answered again within {run['exporter_pause']:.1f} s; "
        f"{len(run['falls'])} totals fell in {run['scrapes']:,} scrapes",
    )


def _faults(run: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = {
        "full": "the disk of the directory full, and free again",
        "unwritable": "the directory taken from the workers' user, and given back",
    }
    for key, name in names.items():
        if key in run:
            each = run[key]
            answers = ", ".join(f"{count} {status}" for status, count in sorted(each["answers"].items()))
            yield (
                name,
                f"{each['lost']} of the {each['events']:,} events lost that came meanwhile; "
                f"answers to scrapes: {answers}; {len(each['falls'])} totals fell",
            )


def _spans(run: dict[str, Any]) -> Iterator[tuple[str, str]]:
    ok, lost = run["spans"]["ok"], run["spans"]["error"]
    yield (
        "the receiver of spans away, then there without an answer, then well",
        f"all {run['runs']:,} runs of a stage counted, none took over {run['longest_run'] * 1000:.0f} ms; "
        f"{ok:,} spans delivered, {lost:,} counted as lost, which is all; the end took {run['closing']:.1f} s",
    )
