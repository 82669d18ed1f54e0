"""Which alerts of rules files have no test that would notice if they were broken."""

import re

import promql_parser
import yaml

from rule_mutants.rules import name, names_read


def contents(paths):
    """The parsed files."""
    return [yaml.safe_load(path.read_text()) for path in paths]


def untested(rules, tests):
    """A complaint for each alert and each kind of scenario that it lacks."""
    every = [rule for content in rules for group in content["groups"] for rule in group["rules"]]
    recorded = {rule["record"]: rule["expr"] for rule in every if "record" in rule}
    scenarios = [
        (group["name"], case)
        for content in tests
        for group in content["tests"]
        for case in group.get("alert_rule_test", ())
    ]
    fired = {
        (case["alertname"], alert["exp_labels"]["severity"])
        for _, case in scenarios
        for alert in case.get("exp_alerts") or ()
    }
    quiet = {
        (case["alertname"], "reset" in name)
        for name, case in scenarios
        if "stays quiet" in name and not case.get("exp_alerts")
    }
    complaints = []
    for rule in (rule for rule in every if "alert" in rule):
        name, severity = rule["alert"], rule["labels"]["severity"]
        if (name, severity) not in fired:
            complaints.append(f"{name} ({severity}) has no test in which it fires")
        if name == "Watchdog":  # it never is
            continue
        if (name, False) not in quiet:
            complaints.append(f"{name} has no test in which it stays quiet")
        if reads_a_rate(rule["expr"], recorded) and (name, True) not in quiet:
            complaints.append(f"{name} has no test of a counter reset")
    return complaints


def in_no_order(rules, order):
    """The pairs of groups, a reader and its source, of which one stands in no order of evaluation."""
    groups = {group["name"]: group["rules"] for content in rules for group in content["groups"]}
    made = {group: {name(rule) for rule in held} for group, held in groups.items()}
    read = {group: set().union(*(names_read(rule["expr"]) for rule in held)) for group, held in groups.items()}
    return {
        (reader, source)
        for reader in groups
        for source in groups
        if reader != source and read[reader] & made[source] and not {reader, source} <= {*order}
    }


def reads_a_rate(expr, recorded):
    """Whether a counter's growth is in the expression, or in what was recorded for it."""
    text = promql_parser.parse(expr).prettify()
    if re.search(r"\b(rate|increase)\(", text):
        return True
    read = {name for name in re.findall(r"[a-z_]+:\w+:\w+", text) if recorded.get(name) not in (None, expr)}
    return any(reads_a_rate(recorded[name], recorded) for name in read)
