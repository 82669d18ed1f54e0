"""What holds for every rule of every file."""

import re
from pathlib import Path

import pytest

from manometer.catalogue import SUBJECTS
from manometer.mixin import rules
from manometer.mixin.promql import FOREIGN
from manometer.mixin.slo.file import read_services
from manometer.mixin.thresholds import Thresholds, parse

SHOP = Path(__file__).parents[3] / "docs" / "samples" / "slo" / "shop.yaml"
RULES = [
    (name, rule)
    for name, content in rules.files(Thresholds()).items()
    for group in content["groups"]
    for rule in group["rules"]
]
IDS = [f"{name}-{rule.get('alert') or rule['record']}" for name, rule in RULES]

# Not there on Prometheus 2.42, or another thing in 3.
ABSENT = {
    *(
        "mad_over_time",
        "sort_by_label",
        "sort_by_label_desc",
        "histogram_avg",
        "histogram_stddev",
        "histogram_stdvar",
    ),
    *("holt_winters", "double_exponential_smoothing", "info", "fill", "limitk", "limit_ratio"),
}


@pytest.mark.parametrize(("name", "rule"), RULES, ids=IDS)
def test_an_expression_reads_known_names_with_functions_of_both_prometheus_versions(name, rule, promql, known_names):
    """It parses, and every name is the catalogue's, recorded, or one of the few foreign ones."""
    assert {selector for selector, _ in promql.selectors(rule["expr"])} <= known_names
    assert not promql.functions(rule["expr"]) & ABSENT


@pytest.mark.parametrize(("name", "rule"), RULES, ids=IDS)
def test_a_selector_names_labels_that_its_metric_has(name, rule, promql):
    """A label that is gone from the catalogue would match nothing, in silence."""
    labels = {row.prometheus_name: set(row.labels) for rows in SUBJECTS.values() for row in rows}
    for selector, matchers in promql.selectors(rule["expr"]):
        metric = re.sub("_(bucket|sum|count)$", "", selector)
        if metric in labels:
            assert set(matchers) <= labels[metric] | {"job", "instance", "le"}


@pytest.mark.parametrize(("name", "rule"), [each for each in RULES if "record" in each[1]])
def test_a_recorded_name_says_level_metric_and_operation(name, rule, promql):
    """And the level's labels are those that it is aggregated by."""
    level, metric, operation = rule["record"].split(":")
    assert metric
    assert operation
    for kept in promql.aggregated(rule["expr"]):
        assert "_".join(label for label in kept if label != "le") == level


@pytest.mark.parametrize(("name", "rule"), [each for each in RULES if "alert" in each[1]])
def test_an_alert_is_complete(name, rule):
    """A name in CamelCase, a severity that is routed, texts; no figure in a label, which would make new alerts."""
    assert re.fullmatch(r"([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in ("critical", "warning", "info", "none")
    assert "$value" not in str(rule["labels"])
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"


def test_groups_have_an_interval_and_a_name_of_their_own():
    """Recording intervals stand in formulas, so none is left to the server's default."""
    groups = [group for content in rules.files(Thresholds()).values() for group in content["groups"]]
    assert all(re.fullmatch(r"\d+s", group["interval"]) for group in groups)
    assert len({group["name"] for group in groups}) == len(groups)


def test_no_two_groups_record_the_same_name():
    """Each would overwrite what the other has told."""
    groups = [group for content in rules.files(Thresholds()).values() for group in content["groups"]]
    names = [name for group in groups for name in {rule["record"] for rule in group["rules"] if "record" in rule}]
    shared = {name for name in names if names.count(name) > 1}
    assert {name for name in shared if not name.startswith("manometer:threshold:")} == set()


LATE = {
    ("cache-savings", "cache"),
    *((each, "pool") for each in ("pool-trend", "pool-waiting")),
    ("engine-stages", "engine"),
    *((each, "targets") for each in ("exporter", "meta", "score")),
    *(("score", each) for each in ("cache", "engine", "engine-stages", "pool", "queue", "restarts", "runtime")),
    ("engine", "slo-shop"),
    ("slo-shop-days", "slo-shop"),
}
"""Groups that read what another records. Groups are evaluated apart, so each reads what was recorded a while ago.

What is a figure of five minutes or of an hour may be that late, and so may the news that a target is one of ours. A
page may not.
"""


def test_a_group_reads_of_another_only_what_may_be_late():
    """Within a group a rule reads what those before it recorded just now."""
    files = rules.files(Thresholds(), services=read_services([SHOP]))
    groups = [group for content in files.values() for group in content["groups"]]
    home = {rule["record"]: group["name"] for group in groups for rule in group["rules"] if "record" in rule}
    read = {
        (group["name"], home[name])
        for group in groups
        for rule in group["rules"]
        for name in re.findall(r"\w+:\w+:\w+", rule["expr"])
    }
    assert {pair for pair in read if pair[0] != pair[1]} == {
        tuple(f"manometer-{name}" for name in pair) for pair in LATE
    }


def test_what_is_recorded_is_there_until_it_is_recorded_anew():
    """For five minutes Prometheus knows a figure, and an evaluation may be missed.

    Advice reads its own at once, and a panel may lack the quantiles of four minutes.
    """
    groups = [group for content in rules.files(Thresholds()).values() for group in content["groups"]]
    seldom = {group["name"] for group in groups if int(group["interval"][:-1]) > 150}
    assert seldom == {"manometer-advice", "manometer-engine-quantiles"}


@pytest.mark.parametrize(("name", "rule"), RULES, ids=IDS)
def test_a_regular_expression_is_there_where_one_is_needed(name, rule, promql):
    """It has alternatives: one name is matched by itself, and any name needs no matcher."""
    for _, matchers in promql.selectors(rule["expr"]):
        for operator, value in matchers.values():
            assert operator in ("=", "!=") or "|" in value


def test_every_timing_is_some_alerts(services):
    """No setting without effect."""
    assert {alert.key for alert in rules.alerts(Thresholds(), services)} == Thresholds().timing.keys()


def test_the_breaker_is_noticed_within_two_and_a_half_minutes():
    """Look-back is no delay; a scrape, an evaluation and the hold are."""
    config = Thresholds()
    hold = config.timing["BreakerOpen"].hold.seconds
    assert 15 + config.fast_interval.seconds + hold <= 150
    assert config.lookback.seconds + config.fast_interval.seconds + 15 <= 120


def test_ranges_hold_four_scrapes():
    """Prometheus 3 leaves the oldest end of a range out: with fewer scrapes in it a rate would come and go."""
    ranges = {
        int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
        for _, rule in RULES
        for number, unit in re.findall(r"\[(\d+)([smhd])\]", rule["expr"])
    }
    assert min(ranges) >= 4 * 15


def test_other_thresholds_render_without_touching_a_template():
    """Values, jobs and holding times turn up where they belong."""
    config = parse(
        {
            "jobs": ["web", "batch"],
            "runbooks": "https://wiki",
            "cache": {"hit_ratio": 0.83},
            "engine": {"objective_ratio": 0.999, "stuck_window": "10m"},
            "pool": {"forecast_horizon": "10m", "forecast_range": "2h"},
            "timing": {"MemoryHigh": {"hold": "7m", "keep": "0s"}},
        }
    )
    text = str(rules.files(config))
    found = {
        rule["alert"]: rule
        for c in rules.files(config).values()
        for g in c["groups"]
        for rule in g["rules"]
        if "alert" in rule
    }
    assert "< 0.83" in found["CacheHitRatioLow"]["expr"]
    assert found["MemoryHigh"]["for"] == "7m"
    assert "keep_firing_for" not in found["MemoryHigh"]
    assert 'job=~"web|batch"' in found["TargetDown"]["expr"]
    assert found["TargetDown"]["annotations"]["runbook_url"] == "https://wiki/TargetDown.md"
    assert 'absent(up{job="batch"})' in found["TargetDown"]["expr"]
    assert "0.0144" in found["EngineErrorBudgetBurn"]["expr"] or "0.003" in found["EngineErrorBudgetBurn"]["expr"]
    assert "[2h], 600)" in text
    assert set(re.findall(r"\[\w+\]", found["StageStuck"]["expr"])) == {"[10m]"}
    assert "stage!~" not in text
    assert "alluse" not in str(rules.files(Thresholds()))  # nor any other job that nobody named


def test_the_foreign_list_holds_nothing_that_is_not_read(promql):
    """It stays as small as it is."""
    from manometer.mixin import dashboards

    everything = str(rules.files(Thresholds())) + "".join(dashboards.files(Thresholds()).values())
    assert {name for name in FOREIGN if name not in everything} == set()
