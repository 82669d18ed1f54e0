"""The mutants of a rules file: in each, one thing of one rule is changed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from rule_mutants.expressions import changed, doubled

__all__ = ["Mutant", "Rule", "mutants", "name", "names_read", "rules"]

Rule = Mapping[str, Any]
"""A rule as a rules file holds it."""

_AROUND = 60  # characters of an expression that are shown before a change

_OTHER_SEVERITY = {"critical": "warning", "warning": "info", "info": "none", "none": "info"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule of a file, changed. place: which of the file's rules; was, now: what differs, as `field: value`."""

    file: str
    place: int
    rule: Rule
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.file}: {name(self.rule)}\n    - {self.was}\n    + {self.now}"


def name(rule: Rule) -> str:
    """What the rule raises or records."""
    return str(rule.get("alert") or rule["record"])


def rules(content: Mapping[str, Any]) -> list[Rule]:
    """The rules of a file, in the order in which they are evaluated."""
    return [rule for group in content["groups"] for rule in group["rules"]]


def names_read(expr: str) -> set[str]:
    """The recorded series that an expression reads, and the alerts whose state it reads: `ALERTS` for all of them."""
    read = set(re.findall(r"\w+:\w+:\w+", expr))
    for matchers in re.findall(r"ALERTS(?:\{([^}]*)\})?", expr):
        named = re.findall(r'alertname=~?"([^"]*)"', matchers)
        read.update(*(names.split("|") for names in named or ["ALERTS"]))
    return read


def mutants(file: str, content: Mapping[str, Any]) -> Iterator[Mutant]:
    """Every mutant of a rules file."""
    for place, rule in enumerate(rules(content)):
        for new, field in _changed(rule):
            was, now = _differing(*(str(each.get(field, "none")) for each in (rule, new)))
            yield Mutant(file, place, new, f"{field}: {was}", f"{field}: {now}")


def _differing(was: str, now: str) -> tuple[str, str]:
    """The parts that differ, with what is around them to find them by."""
    start = _same(was, now)
    end = _same(was[start:][::-1], now[start:][::-1])
    before, after = max(start - _AROUND, 0), max(end - _AROUND // 2, 0)
    return _line(was[before : len(was) - after]), _line(now[before : len(now) - after])


def _same(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _line(text: str) -> str:
    return " ".join(text.split())


def _changed(rule: Rule) -> Iterator[tuple[Rule, str]]:
    """The rule with one field changed, and which field that is."""
    for expr in dict.fromkeys(changed(rule["expr"])):
        yield {**rule, "expr": expr}, "expr"
    for field in ("for", "keep_firing_for"):
        if field in rule:
            yield {key: value for key, value in rule.items() if key != field}, field
            yield {**rule, field: doubled(rule[field])}, field
    for label, value in rule.get("labels", {}).items():
        other = _OTHER_SEVERITY[value] if label == "severity" else f"other-{value}"
        yield {**rule, "labels": {**rule["labels"], label: other}}, "labels"
