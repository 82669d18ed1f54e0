"""Mutants of rules tried by promtool: each by the scenarios that can notice it, those that look at its rule first.

A scenario of `tests/rules` is run with the rules alone that its assertions depend on, and with the assertions alone
that the changed rule can reach, many mutants in one process of promtool. So hundreds of mutants take about a minute.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rule_mutants.rules import Mutant, Rule, name, names_read, rules

__all__ = ["Scenario", "Trial", "scenarios", "survivors", "that_can_notice"]

_AT_ONCE = 100  # mutants in one process of promtool
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Scenario(NamedTuple):
    """A test of a file for promtool, with the rules that the file is about, as they come, by rules file."""

    test: Mapping[str, Any]
    step: str
    rules: Mapping[str, Sequence[Rule]]


def scenarios(path: Path, files: Mapping[str, Mapping[str, Any]]) -> list[Scenario]:
    """Every scenario of a test file. files: the content of the rules files by their names."""
    content = yaml.load(path.read_text(), yaml.BaseLoader)  # all is text: to others `0x24` is the number 36
    about = {Path(each).stem: rules(files[Path(each).stem]) for each in content["rule_files"]}
    for test in content["tests"]:
        for query in test.get("promql_expr_test", ()):
            for sample in query.get("exp_samples", ()):
                sample["value"] = float(sample["value"])
    return [Scenario(test, content["evaluation_interval"], about) for test in content["tests"]]


def survivors(mutants: Iterable[Mutant], tests: Sequence[Scenario], program: str, folder: Path) -> list[Mutant]:
    """The mutants that no scenario notices."""
    waiting = [(mutant, that_can_notice(mutant, tests)) for mutant in mutants]
    unnoticed = [mutant for mutant, left in waiting if not left]
    passed: dict[str, bool] = {}  # where a rule is as it was, its trials are those of others too
    while waiting := [(mutant, left) for mutant, left in waiting if left]:
        new = {left[0].text: left[0] for _, left in waiting if left[0].text not in passed}
        passed |= zip(new, _passed([*new.values()], program, folder), strict=True)
        waiting = [(mutant, left[1:]) for mutant, left in waiting if passed[left[0].text]]
        unnoticed += [mutant for mutant, left in waiting if not left]
    return unnoticed


class Trial(NamedTuple):
    """What promtool is given: a scenario cut down to what a mutant can change."""

    test: Mapping[str, Any]
    step: str
    groups: Sequence[Sequence[Rule]]
    direct: bool
    """Whether an assertion is about the changed rule itself, and not only about what is made of it."""

    @property
    def text(self) -> str:
        """All that its outcome depends on."""
        return json.dumps([self.test, self.step, self.groups])

    @property
    def cost(self) -> int:
        """Rules that are evaluated, in all."""
        asserted = [*self.test.get("alert_rule_test", ()), *self.test.get("promql_expr_test", ())]
        last = max(_seconds(each["eval_time"]) for each in asserted)
        return last // _seconds(self.step) * sum(map(len, self.groups))


def that_can_notice(mutant: Mutant, tests: Iterable[Scenario]) -> list[Trial]:
    """The scenarios whose assertions depend on the changed rule: those about itself first, the cheapest first."""
    cut = [_cut(mutant, each) for each in tests if mutant.file in each.rules]
    return sorted((each for each in cut if each is not None), key=lambda each: (not each.direct, each.cost))


def _cut(mutant: Mutant, scenario: Scenario) -> Trial | None:
    every = [rule for about in scenario.rules.values() for rule in about]
    changed = [*scenario.rules[mutant.file]]
    changed[mutant.place] = mutant.rule
    reached = _readers(name(mutant.rule), every)
    kept: dict[str, list[Mapping[str, Any]]] = {}
    needed: set[str] = set()
    for kind, read_by in (("alert_rule_test", _of_alert), ("promql_expr_test", _of_query)):
        for each in scenario.test.get(kind, ()):
            read = read_by(each, every)
            if read & reached:
                kept.setdefault(kind, []).append(each)
                needed |= read
    if not kept:
        return None
    direct = name(mutant.rule) in needed
    needed = _with_sources(needed, every)
    test = {key: value for key, value in scenario.test.items() if not key.endswith("_test")} | kept
    groups = [changed if file == mutant.file else about for file, about in scenario.rules.items()]
    kept_rules = [[rule for rule in group if name(rule) in needed] for group in groups]
    return Trial(test, scenario.step, kept_rules, direct)


def _of_alert(assertion: Mapping[str, Any], _every: Sequence[Rule]) -> set[str]:
    return {assertion["alertname"]}


def _of_query(assertion: Mapping[str, Any], every: Sequence[Rule]) -> set[str]:
    """What a query reads; a pattern of names is every series that it fits."""
    expr = assertion["expr"]
    patterns = re.findall(r'__name__=~"([^"]*)"', expr)
    return _read(expr, every) | {name(rule) for rule in every for each in patterns if re.fullmatch(each, name(rule))}


def _read(expr: str, every: Sequence[Rule]) -> set[str]:
    """The names of the rules that an expression reads."""
    read = names_read(expr)
    return read | {name(rule) for rule in every if "alert" in rule} if "ALERTS" in read else read


def _readers(changed: str, every: Sequence[Rule]) -> set[str]:
    """The names of a rule and of all that reads it, at whatever remove."""
    found = {changed}
    while more := {name(rule) for rule in every if _read(rule["expr"], every) & found} - found:
        found |= more
    return found


def _with_sources(names: set[str], every: Sequence[Rule]) -> set[str]:
    """These names and all that they are made of, at whatever remove."""
    found = {*names}
    while more := {each for rule in every if name(rule) in found for each in _read(rule["expr"], every)} - found:
        found |= more
    return found


def _passed(trials: Sequence[Trial], program: str, folder: Path) -> list[bool]:
    """Whether promtool finds every assertion of each to hold."""
    good: set[int] = set()
    for start in range(0, len(trials), _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, len(trials)))
        for number in numbers:
            _write(trials[number], number, folder)
        told = subprocess.run(
            [program, "test", "rules", *(f"{number}.test.json" for number in numbers)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        good.update(map(int, re.findall(r"Unit Testing:\s+(\d+)\.test\.json\s+SUCCESS", told.stdout)))
    return [number in good for number in range(len(trials))]


def _write(trial: Trial, number: int, folder: Path) -> None:
    """A rules file and a test file. JSON is YAML."""
    groups = [{"name": f"group-{place}", "rules": group} for place, group in enumerate(trial.groups) if group]
    (folder / f"{number}.rules.json").write_text(json.dumps({"groups": groups}))
    test = {
        "rule_files": [f"{number}.rules.json"],
        "evaluation_interval": trial.step,
        "group_eval_order": [group["name"] for group in groups],
        "tests": [trial.test],
    }
    (folder / f"{number}.test.json").write_text(json.dumps(test))


def _seconds(duration: str) -> int:
    return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)([smhd])", str(duration)))
