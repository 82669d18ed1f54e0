"""The rules of services on Prometheus's own tool: each alert fires and stays quiet, and none goes untested."""

from pathlib import Path

import pytest

from manometer.mixin import render
from manometer.mixin.slo.file import read_services
from manometer.mixin.thresholds import parse
from promtool import each_version, promtool
from rule_gate import contents, in_no_order, untested

ROOT = Path(__file__).parents[2]
TESTS = Path(__file__).parent / "services"
RUNBOOKS = "https://wiki.example/runbooks"
SERVICES = read_services(sorted((ROOT / "docs" / "samples" / "slo").glob("*.yaml")))


def written(folder, interval="30s"):
    """The rules of services in a file."""
    config = parse({"runbooks": RUNBOOKS, "interval": interval})
    path = folder / "slo.yaml"
    path.write_text(render.files(config, services=SERVICES)["alert_rules/slo.yaml"])
    return path


@each_version
@pytest.mark.servers
@pytest.mark.parametrize(("scenarios", "interval"), [("shop", "30s"), ("figures", "30s"), ("slow", "2m")])
def test_rules_load_and_behave(name, tmp_path, scenarios, interval):
    """Prometheus would load them, and each scenario comes out as it says."""
    copy = tmp_path / f"{scenarios}.yaml"
    copy.write_text((TESTS / copy.name).read_text())
    promtool(name, "check", "rules", str(written(tmp_path, interval)))
    promtool(name, "test", "rules", str(copy))


def test_no_alert_goes_untested(tmp_path):
    """As for the rules of every other subject."""
    rules, tests = contents([written(tmp_path)]), contents(sorted(TESTS.glob("*.yaml")))
    assert untested(rules, tests) == []


def test_a_file_of_scenarios_says_in_which_order_groups_are_evaluated(tmp_path):
    """Days are counted from what hours are."""
    rules = contents([written(tmp_path)])
    for content in contents(sorted(TESTS.glob("*.yaml"))):
        assert in_no_order(rules, content["group_eval_order"]) == set()
