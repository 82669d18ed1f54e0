"""Prometheus's and Alertmanager's own checkers accept the files, and alerts go where they should."""

import subprocess

import pytest
import yaml

pytestmark = pytest.mark.servers


def run(*command):
    """What the command prints; fails with it where the command does."""
    done = subprocess.run([str(each) for each in command], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture
def promtool(program):
    """Prometheus's checker."""
    return program("promtool", "prometheus")


@pytest.fixture
def amtool(program):
    """Alertmanager's checker."""
    return program("amtool", "prometheus-alertmanager")


@pytest.fixture
def alertmanager_yml(files):
    """Alertmanager's configuration."""
    return files.folder / "alertmanager" / "alertmanager.yml"


def test_promtool_accepts_the_configuration_and_its_rules(promtool, files, tmp_path):
    """The configuration is checked with the rules that it loads, at the path where they are here."""
    document = files.read("prometheus/prometheus.yml")
    rules = files.folder / "prometheus" / "rules"
    document["rule_files"] = [str(rules / "*.yaml")]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(document))
    said = run(promtool, "check", "config", tmp_path / "prometheus.yml")
    assert f"{len(list(rules.glob('*.yaml')))} rule files found" in said


def test_promtool_accepts_the_file_as_it_is(promtool, files):
    """Nothing of the file depends on what was replaced."""
    run(promtool, "check", "config", "--syntax-only", files.folder / "prometheus" / "prometheus.yml")


def test_amtool_accepts_the_configuration(amtool, alertmanager_yml):
    """Alertmanager would load it."""
    assert "SUCCESS" in run(amtool, "check-config", alertmanager_yml)


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        ("page", ["alertname=BreakerOpen", "severity=critical", "job=alluse"]),
        ("ticket", ["alertname=MemoryHigh", "severity=warning", "job=alluse"]),
        ("advice", ["alertname=LabelValuesFolded", "severity=info", "job=alluse"]),
        ("heartbeat", ["alertname=Watchdog", "severity=none"]),
        ("nobody", ["alertname=InfoInhibitor", "severity=none", "job=alluse"]),
        ("ticket", ["alertname=FromElsewhere", "job=other"]),
    ],
)
def test_an_alert_goes_to_its_receiver(amtool, alertmanager_yml, receiver, labels):
    """Critical pages, warning is a ticket, info is advice; what comes without a severity is not lost."""
    assert run(amtool, "config", "routes", "test", f"--config.file={alertmanager_yml}", *labels) == receiver


def test_every_alert_has_a_route_by_its_severity(amtool, alertmanager_yml, files):
    """No alert of the repository falls through to the default by an unknown severity."""
    expected = {"critical": "page", "warning": "ticket", "info": "advice"}
    rules = [yaml.safe_load(path.read_text()) for path in (files.root / "alert_rules").glob("*.yaml")]
    alerts = [rule for file in rules for group in file["groups"] for rule in group["rules"] if "alert" in rule]
    routed = {(each["alert"], each["labels"]["severity"]) for each in alerts}
    assert {severity for _, severity in routed} == {*expected, "none"}
    for alert, severity in sorted(routed):
        labels = (f"alertname={alert}", f"severity={severity}", "job=alluse")
        receiver = run(amtool, "config", "routes", "test", f"--config.file={alertmanager_yml}", *labels)
        assert receiver == expected.get(severity, {"Watchdog": "heartbeat", "InfoInhibitor": "nobody"}.get(alert))
