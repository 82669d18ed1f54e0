"""The rules on Prometheus's own tool: they load, every alert fires and stays quiet, and none goes untested."""

from pathlib import Path

import pytest

from promtool import each_version, only_on_3, promtool
from rule_gate import contents, in_no_order, untested

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "alert_rules").glob("*.yaml"))
NAMING_STAGES = [ROOT / "compose/prometheus/rules" / path.name for path in RULES]
"""The same rules where some stages act on the world and others wait for a person: so each part of them is tried."""

TESTS = sorted((ROOT / "tests" / "rules").glob("*.yaml"))

NATIVE = sorted((ROOT / "tests" / "rules" / "native").glob("*.yaml"))
"""Scenarios with native histograms, which promtool takes in from Prometheus 3 on."""


@each_version
@pytest.mark.servers
@pytest.mark.parametrize("path", [*RULES, *NAMING_STAGES], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_rules_file_loads(name, path):
    """As Prometheus would load it."""
    promtool(name, "check", "rules", str(path))


@each_version
@pytest.mark.servers
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_behave(name, path):
    """Each scenario of the file comes out as it says, on Prometheus 2 and 3."""
    promtool(name, "test", "rules", str(path))


@only_on_3
@pytest.mark.parametrize("path", NATIVE, ids=lambda path: path.stem)
def test_rules_behave_on_native_histograms(name, path):
    """The same figures, where Prometheus has made native histograms of the classic ones."""
    promtool(name, "test", "rules", str(path))


def test_a_file_of_scenarios_says_in_which_order_groups_are_evaluated():
    """promtool evaluates groups in any order otherwise, so that a figure is an evaluation late in some runs."""
    for path in TESTS:
        [content] = contents([path])
        rules = contents(path.parent / each for each in content["rule_files"])
        assert in_no_order(rules, content.get("group_eval_order", ())) == set(), path.stem


def test_groups_without_an_order_are_noticed():
    """The gate itself: of recorded series and of alerts, where one of both groups is not in the order."""
    records = {"name": "records", "rules": [{"record": "a:b:c", "expr": "b"}, {"alert": "Broken", "expr": "a:b:c"}]}
    reads = {"name": "reads", "rules": [{"alert": "Full", "expr": "a:b:c > 1"}]}
    waits = {"name": "waits", "rules": [{"alert": "Late", "expr": 'd unless ALERTS{alertname=~"Broken|Full"}'}]}
    rules = [{"groups": [records, reads]}, {"groups": [waits]}]
    assert in_no_order(rules, ["records", "reads", "waits"]) == set()
    assert in_no_order(rules, ["records", "reads"]) == {("waits", "records"), ("waits", "reads")}


def test_no_alert_goes_untested():
    """Each has a scenario in which it fires, one in which it does not, and where it reads a rate one with a reset."""
    assert untested(contents(NAMING_STAGES), contents(TESTS)) == []


@pytest.mark.parametrize(
    ("gone", "complaint"),
    [
        ("BreakerOpen fires", "BreakerOpen (critical) has no test in which it fires"),
        ("HealthCheckFailing fires", "HealthCheckFailing (warning) has no test in which it fires"),
        ("MemoryHigh stays quiet", "MemoryHigh has no test in which it stays quiet"),
        ("CpuHigh stays quiet over a counter reset", "CpuHigh has no test of a counter reset"),
    ],
)
def test_an_untested_alert_is_noticed(gone, complaint):
    """The gate itself: without those scenarios it complains."""
    tests = contents(TESTS)
    for content in tests:
        content["tests"] = [group for group in content["tests"] if not group["name"].startswith(gone)]
    assert complaint in untested(contents(NAMING_STAGES), tests)
