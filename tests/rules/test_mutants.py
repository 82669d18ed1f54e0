"""No number, comparison, window, label or holding time of a rule can change without a scenario that fails."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from rule_mutants.expressions import changed
from rule_mutants.rules import Mutant, mutants, name, rules
from rule_mutants.trial import scenarios, survivors, that_can_notice

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.name for path in (ROOT / "alert_rules").glob("*.yaml"))
FILES = {Path(name).stem: yaml.safe_load((ROOT / "compose/prometheus/rules" / name).read_text()) for name in NAMES}
"""As ALL-USE has them, whose stages wait for a person and act on the world: so each part of the rules is there."""


def _all_scenarios():
    paths = sorted((ROOT / "tests" / "rules").glob("*.yaml"))
    return [scenario for path in paths for scenario in scenarios(path, FILES)]


SCENARIOS = _all_scenarios()

EXPLAINED = tomllib.loads((ROOT / "tests/rules/mutants.toml").read_text())["mutants"]


def explains(reason, mutant):
    """Whether the reason is about this mutant."""
    change = f"{mutant.was} -> {mutant.now}"
    return re.fullmatch(reason["rule"], name(mutant.rule)) and re.search(reason["change"], change)


@pytest.mark.servers
@pytest.mark.mutants
@pytest.mark.parametrize("file", FILES)
def test_every_change_of_a_rule_is_noticed(file, program, tmp_path):
    """A mutant that no scenario notices is named."""
    promtool = program("promtool", "prometheus")
    unexplained = [each for each in mutants(file, FILES[file]) if not any(explains(why, each) for why in EXPLAINED)]
    assert [str(mutant) for mutant in survivors(unexplained, SCENARIOS, promtool, tmp_path)] == []


@pytest.mark.servers
@pytest.mark.mutants
@pytest.mark.parametrize("file", FILES)
def test_rules_that_are_not_changed_pass_the_same_trial(file, program, tmp_path):
    """So what a mutant fails by is its change, not that its scenario was cut down."""
    promtool = program("promtool", "prometheus")
    same = [Mutant(file, place, rule, "", "") for place, rule in enumerate(rules(FILES[file]))]
    passed = survivors(same, SCENARIOS, promtool, tmp_path)
    assert [str(mutant) for mutant in same if mutant not in passed] == []


def untested(files, tests):
    """The rules of these files that no assertion of a scenario depends on, recorded series among them."""
    every = [Mutant(file, place, rule, "", "") for file in files for place, rule in enumerate(rules(FILES[file]))]
    return [name(mutant.rule) for mutant in every if not that_can_notice(mutant, tests)]


def test_no_rule_is_without_a_scenario():
    """A recorded series is looked at, or an alert that reads it is."""
    assert untested(FILES, SCENARIOS) == []


def test_a_rule_without_a_scenario_is_noticed(monkeypatch):
    """The gate itself: a new recorded series that nothing reads is named."""
    new = {"record": "made_up:made_up:rate5m", "expr": "sum by (job) (rate(made_up_total[5m]))"}
    group = {"name": "made-up", "rules": [*rules(FILES["pool"]), new]}
    monkeypatch.setitem(FILES, "pool", {"groups": [group]})
    assert untested(["pool"], _all_scenarios()) == ["made_up:made_up:rate5m"]


def test_what_is_explained_is_there():
    """An explanation goes with the rule and the change that it is about."""
    every = [mutant for file in FILES for mutant in mutants(file, FILES[file])]
    stale = [each for each in EXPLAINED if not any(explains(each, mutant) for mutant in every)]
    assert stale == []


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("rate(a[5m])", {"rate(a[600s])", "rate(a[150s])"}),
        ("a >= 3", {"a >= 6", "a >= 1.5", "a < 3", "a > 3"}),
        ("a > 0.9", {"a > 1.8", "a > 0.45", "a <= 0.9"}),
        ("a == 0", {"a == 1", "a != 0"}),
        ('a{b="c",d=~"e|f"}', {'a{d=~"e|f"}', 'a{b="c"}', 'a{b="c",d=~"e"}', 'a{b="c",d=~"f"}'}),
        ("sum by (a, b) (c)", {"sum by (a) (c)", "sum by (b) (c)"}),
        ("a and on (b) c", {"a ", "a and on () c"}),
        ("(a unless b) or c", {"(a ) or c", "(a unless b) ", " c"}),
        ("a or histogram_sum(rate(b[5m]))", {" histogram_sum(rate(b[5m]))"}),
        ("a or rate(b_seconds[5m])", {" rate(b_seconds[5m])"}),
        (
            "rate(b_total[5m]) or c",
            {"rate(b_total[600s]) or c", "rate(b_total[150s]) or c", " c", "rate(b_total[5m]) "},
        ),
        (
            "(a or histogram_sum(b) * 2 > 0) * 3",
            {
                "( histogram_sum(b) * 2 > 0) * 3",
                "(a or histogram_sum(b) * 2 > 0) * 6",
                "(a or histogram_sum(b) * 2 > 0) * 1.5",
            },
        ),
    ],
)
def test_each_part_of_an_expression_is_changed(expr, expected):
    """Once at a time; strings are left alone, and so is what reads native histograms."""
    assert {*changed(expr)} == expected


def test_labels_and_holding_times_are_changed_too():
    """Each is taken away or doubled; the severity becomes another."""
    rule = {"alert": "A", "expr": "a", "for": "1m", "keep_firing_for": "2m", "labels": {"severity": "warning"}}
    content = {"groups": [{"name": "g", "rules": [rule]}]}
    assert [(mutant.was, mutant.now) for mutant in mutants("a", content)] == [
        ("for: 1m", "for: none"),
        ("for: 1m", "for: 120s"),
        ("keep_firing_for: 2m", "keep_firing_for: none"),
        ("keep_firing_for: 2m", "keep_firing_for: 240s"),
        ("labels: {'severity': 'warning'}", "labels: {'severity': 'info'}"),
    ]
