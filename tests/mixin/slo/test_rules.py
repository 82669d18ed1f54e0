"""The rules and inhibitions of services: what holds for each of them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from manometer.mixin import render, rules
from manometer.mixin.rules.precedence import PROMISES_BURN
from manometer.mixin.slo.burn import DAYS, FAST, HOURS, MONTH, SLOW, burn_rate, burning
from manometer.mixin.slo.file import read_services
from manometer.mixin.slo.inhibitions import SYMPTOMS, inhibitions
from manometer.mixin.thresholds import Duration, Thresholds, parse
from manometer.mixin.thresholds.engine import FAST_PACE

SERVICES = read_services(sorted((Path(__file__).parents[3] / "docs" / "samples" / "slo").glob("*.yaml")))
RULES = [rule for group in rules.files(Thresholds(), None, SERVICES)["slo"]["groups"] for rule in group["rules"]]


def test_without_services_nothing_is_written_for_them():
    """The files of the defaults stay as they are; with services, only these are more."""
    plain, more = render.files(Thresholds()), render.files(Thresholds(), services=SERVICES)
    assert more.keys() - plain.keys() == {"alert_rules/slo.yaml", "alertmanager/inhibit_rules.yaml"}
    assert all(more[path] == text for path, text in plain.items())


def test_the_fast_pace_of_engines_is_that_of_services():
    """The thresholds name it too, which the paces import."""
    assert FAST[0].factor(MONTH) == FAST_PACE


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_is_of_one_objective(rule, promql):
    """It parses, and is of its service and objective alone; one adds up all objectives of a service."""
    labels = rule["labels"]
    assert labels.keys() >= {"service", "job" if rule.get("record") == PROMISES_BURN else "objective"}
    for name, matchers in promql.selectors(rule["expr"]):
        if name.startswith("service_objective:"):
            assert {label: value for label, (_, value) in matchers.items()} == {
                "service": labels["service"],
                "objective": labels["objective"],
            }


def test_the_factors_for_thirty_days_are_the_usual_ones():
    """14.4, 6, 3 and 1; of a shorter window, none asks for less than the whole budget in its time."""
    month, week = Duration("30d"), Duration("7d")
    assert [pace.factor(month) for pace in (*FAST, *SLOW)] == [14.4, 6, 3, 1]
    assert [pace.factor(week) for pace in (*FAST, *SLOW)] == [3.36, 1.4, 1, 1]
    assert (HOURS, DAYS) == (("5m", "30m", "1h", "6h"), ("2h", "1d", "3d"))


def test_expressions_of_burn_rates_parse(promql):
    """For every window; the shortest is that of the rates themselves."""
    for window in (*HOURS, *DAYS):
        expr = burn_rate("bad", "all", window, Duration("30s"), 0.001)
        assert {name for name, _ in promql.selectors(expr)} == {"bad", "all"}
        assert ("[" in expr) is (window != "5m")
    assert burning(FAST, Duration("30d"), lambda window: f"b{window}") == (
        "((b5m > 14.4 and b1h > 14.4)\nor (b30m > 6 and b6h > 6))"
    )


def test_each_symptom_is_an_alert():
    """One that was renamed would be told beside its cause, in silence."""
    assert set(SYMPTOMS) <= {alert.name for alert in rules.alerts(Thresholds())}


def test_what_a_service_does_to_itself_is_not_held_back():
    """A target that is gone, or a leak, has its cause in the service."""
    texts = [str(each["target_matchers"]) for each in inhibitions(SERVICES)["inhibit_rules"]]
    assert not re.search("TargetDown|Memory|Watchdog|Collector", " ".join(texts))


def test_a_service_that_depends_on_nothing_has_no_inhibition():
    """Each dependency is known by the label of its service or of its job, and holds back what has either."""
    assert inhibitions([replace(SERVICES[0], depends_on=())]) == {"inhibit_rules": []}
    assert len(inhibitions(SERVICES[:1])["inhibit_rules"]) == 4


def test_a_page_holds_nothing_back_in_another_cluster():
    """Where there is a label that tells them apart."""
    assert "equal" not in str(inhibitions(SERVICES))
    written = render.files(parse({"dashboards": {"cluster_label": "region"}}), services=SERVICES)
    rules = yaml.safe_load(written["alertmanager/inhibit_rules.yaml"])["inhibit_rules"]
    assert [rule["equal"] for rule in rules] == [["region"]] * len(inhibitions(SERVICES)["inhibit_rules"])


def test_a_slow_burn_is_not_told_while_the_fast_one_is():
    """One fault, one alert; whatever severity the fast one has."""
    slow = [each for each in RULES if each.get("for") == "15m" and each["alert"] == "ErrorBudgetBurn"]
    held = {each["labels"]["severity"]: re.search('severity="(\\w+)"', each["expr"])[1] for each in slow}
    assert held == {"warning": "critical", "info": "warning"}
