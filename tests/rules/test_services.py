"""The rules of services on Prometheus's own tool: each alert fires and stays quiet, and none goes untested."""

import subprocess
from pathlib import Path

import pytest

from manometer.mixin import render
from manometer.mixin.slo.file import read_services
from manometer.mixin.thresholds import parse
from rule_gate import contents, untested
from waiting import DEADLINE

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


@pytest.mark.servers
@pytest.mark.parametrize(("name", "interval"), [("shop", "30s"), ("slow", "2m")])
def test_rules_load_and_behave(program, tmp_path, name, interval):
    """Prometheus would load them, and each scenario comes out as it says."""
    promtool = program("promtool", "prometheus")
    path = written(tmp_path, interval)
    scenarios = tmp_path / f"{name}.yaml"
    scenarios.write_text((TESTS / f"{name}.yaml").read_text())
    for command in (("check", "rules", str(path)), ("test", "rules", str(scenarios))):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=3 * DEADLINE, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_alert_goes_untested(tmp_path):
    """As for the rules of every other subject."""
    rules, tests = contents([written(tmp_path)]), contents(sorted(TESTS.glob("*.yaml")))
    assert untested(rules, tests) == []
