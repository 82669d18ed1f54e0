"""Prometheus, on compose's configuration, scrapes the engine and evaluates the rules over it."""

import pytest
import yaml

pytestmark = pytest.mark.servers


def test_every_target_is_up(world, eventually):
    """The engine, Prometheus and Alertmanager are scraped without an error."""

    def all_up():
        targets = {each["labels"]["job"]: each for each in world.api("targets")["activeTargets"]}
        assert set(targets) == {"alluse", "prometheus", "alertmanager"}
        return all(each["health"] == "up" and not each["lastError"] for each in targets.values())

    eventually(all_up, 30, lambda: world.api("targets"))


def test_the_engine_has_the_promised_number_of_series(world, eventually):
    """There are at least 228 figures of the engine itself, and none of them was dropped as a duplicate."""

    def scraped_whole():  # after a scrape that took too long there are recorded series alone
        (series,) = world.query('count({job="alluse"})')
        return series.values[0] >= 228

    eventually(scraped_whole, 30, lambda: world.query('count({job="alluse"})'))
    (kept,) = world.query('scrape_samples_post_metric_relabeling{job="alluse"}')
    (scraped,) = world.query('scrape_samples_scraped{job="alluse"}')
    assert kept.values == scraped.values


def test_an_exemplar_leads_to_a_trace_that_was_sent(world, eventually):
    """Prometheus keeps exemplars, under the label that Grafana follows; their traces are with the receiver."""

    def followed():
        data = world.api("query_exemplars", query="engine_stage_duration_seconds_bucket", start=0, end=2**32)
        ids = {exemplar["labels"]["trace_id"] for series in data for exemplar in series["exemplars"]}
        return ids & world.spans.trace_ids

    eventually(followed, 60, "an exemplar whose trace was sent")


def test_every_rule_evaluates(world, eventually):
    """No rule of any file fails, be it a recording or an alert."""

    def all_evaluated():
        rules = [rule for group in world.api("rules")["groups"] for rule in group["rules"]]
        failed = [(rule["name"], rule["lastError"]) for rule in rules if rule.get("lastError")]
        assert failed == []
        return rules and all(rule["health"] == "ok" for rule in rules)

    eventually(all_evaluated, 60, lambda: world.api("rules"))


def test_the_rules_are_those_of_the_repository(world, root):
    """Prometheus holds every rule of ALL-USE, and the holding times are the written ones."""
    files = [yaml.safe_load(path.read_text()) for path in (root / "compose/prometheus/rules").glob("*.yaml")]
    written = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    loaded = [rule for group in world.api("rules")["groups"] for rule in group["rules"]]
    assert sorted(rule["name"] for rule in loaded) == sorted(rule.get("alert") or rule["record"] for rule in written)
    held = {rule["name"]: rule["duration"] for rule in loaded if rule["type"] == "alerting"}
    assert held["BreakerOpen"] == 60


# How well a trend fits cannot be said of a line that is flat, and a pool at rest draws one. What is unusual cannot be
# said in minutes: tests/analytics gives Prometheus a past for it.
MAY_BE_EMPTY = {
    "job_instance:container_memory_working_set_bytes:saturation",  # a container's alone
    *(
        "job_instance_cache_name:cache_requests:enough1h",
        "job_instance_pool_name_pool_kind:pool_use_duration_seconds:enough1h",
    ),
    "job_instance_pool_name_pool_kind:pool_resources:saturation_r2",
    "job_instance:manometer_lost:increase5m",  # where anything is lost
    "job_service:slo_objectives:burning",  # where a promise is not kept
    *(
        f"job:manometer_signal:{figure}"
        for figure in (
            *("anomaly", "deviation", "distance", "residual_median", "spread", "steadiness", "usual"),
            *("usual_highest", "usual_lowest", "zscore"),
        )
    ),
}


def test_every_recording_rule_has_data(world, eventually):
    """What the dashboards read is there: each recorded name has a series, and a finite one."""
    rules = [rule for group in world.api("rules")["groups"] for rule in group["rules"]]
    recorded = sorted({rule["name"] for rule in rules if rule["type"] == "recording"} - MAY_BE_EMPTY)

    def empty():
        return [name for name in recorded if not any(each.finite for each in world.query(f'{{__name__="{name}"}}'))]

    eventually(lambda: not empty(), 120, lambda: f"data of {empty()}")
