"""A certificate: which promises live series keep, as Markdown and as JSON, each figure with its query."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from textwrap import indent
from typing import Any

from manometer.cli.certify.promises import Promise, Promises
from manometer.cli.certify.quantities import shown
from manometer.cli.prometheus import Series

__all__ = ["Certificate", "Finding", "Verdict", "certified"]


class Verdict(StrEnum):
    """What became of a promise. UNKNOWN: there is no figure, so that nothing is shown either way."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise, and the series that its query found, the worst first."""

    promise: Promise
    series: tuple[Series, ...]

    @property
    def verdict(self) -> Verdict:
        """Whether every series keeps the promise."""
        if not self.series:
            return Verdict.UNKNOWN
        return Verdict.KEPT if all(self.promise.holds(each.value) for each in self.series) else Verdict.BROKEN


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was found of a service. prometheus: its address without secrets; at: when it was asked."""

    service: str
    prometheus: str
    at: datetime
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether every promise is kept."""
        return all(each.verdict is Verdict.KEPT for each in self.findings)

    def document(self) -> dict[str, Any]:
        """The certificate as JSON has it."""
        return {
            "service": self.service,
            "prometheus": self.prometheus,
            "at": self.at.isoformat(timespec="seconds"),
            "holds": self.holds,
            "promises": [_entry(each) for each in self.findings],
        }

    def markdown(self) -> str:
        """The certificate for people: a table of the promises, and the query of each."""
        counted = Counter(each.verdict for each in self.findings)
        counts = ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict)
        rows = [
            f"| {number} | {_cell(each.promise.name)} | {_bounds(each.promise)} | {_found(each)} | {each.verdict} |"
            for number, each in enumerate(self.findings, 1)
        ]
        queries = [_query(number, each.promise) for number, each in enumerate(self.findings, 1)]
        return "\n".join(
            [
                f"# Certificate of {self.service}\n",
                f"{counts}; asked of {self.prometheus} at {self.at:%Y-%m-%d %H:%M:%S %Z}.",
                "Where a query finds several series, the worst is shown, and all of them have to keep the promise.\n",
                "| | promise | promised | found | verdict |",
                "| --- | --- | --- | --- | --- |",
                *rows,
                "\n## Queries\n",
                *queries,
            ]
        )


def certified(
    promises: Promises, ask: Callable[[str], Iterable[Series]], prometheus: str, at: datetime
) -> Certificate:
    """Check each promise. ask: returns the series of a query now."""
    findings = tuple(Finding(each, _worst_first(each, ask(each.query))) for each in promises.promises)
    return Certificate(promises.service, prometheus, at, findings)


def _worst_first(promise: Promise, series: Iterable[Series]) -> tuple[Series, ...]:
    return tuple(sorted(series, key=lambda each: (promise.holds(each.value), _room(promise, each.value))))


def _room(promise: Promise, value: float) -> float:
    """How far the value is within the bound that is nearest, in the measure's unit; less than 0 outside."""
    rooms = [] if promise.at_most is None else [promise.at_most - value]
    return min(rooms if promise.at_least is None else [*rooms, value - promise.at_least])


def _entry(finding: Finding) -> dict[str, Any]:
    promise = finding.promise
    bounds = {"at_most": promise.at_most, "at_least": promise.at_least}
    return {
        "name": promise.name,
        "verdict": finding.verdict.value,
        **{name: bound for name, bound in bounds.items() if bound is not None},
        "unit": promise.unit,
        "found": [{"labels": dict(each.labels), "value": _plain(each.value)} for each in finding.series],
        "query": promise.query,
    }


def _plain(value: float) -> float | str:
    """As JSON has it, which knows no infinite numbers; Prometheus writes them as a text too."""
    return value if math.isfinite(value) else f"{value:+}".replace("inf", "Inf")


def _bounds(promise: Promise) -> str:
    least, most = promise.at_least, promise.at_most
    told = [] if least is None else [f"at least {shown(least, promise.unit)}"]
    return ", ".join(told if most is None else [*told, f"at most {shown(most, promise.unit)}"])


def _found(finding: Finding) -> str:
    if not finding.series:
        return "no figure"
    worst, others = finding.series[0], finding.series[1:]
    text = shown(worst.value, finding.promise.unit)
    if not others:
        return text
    # What tells it from the others, and no more.
    differing = [name for name in worst.labels if any(each.labels.get(name) != worst.labels[name] for each in others)]
    which = ", ".join(f"{name}={worst.labels[name]}" for name in differing)
    return f"{text}, the worst of {len(finding.series)} ({_cell(which)})"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _query(number: int, promise: Promise) -> str:
    """An entry of a numbered list; what belongs to it stands below its text."""
    mark = f"{number}. "
    block = "\n".join(["```promql", *promise.query.strip().splitlines(), "```", ""])
    return f"{mark}{promise.name}\n\n{indent(block, ' ' * len(mark))}"
