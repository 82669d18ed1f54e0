"""The rules on Prometheus's own tool: they load, every alert fires and stays quiet, and none goes untested."""

import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

from waiting import DEADLINE

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "alert_rules").glob("*.yaml"))
TESTS = sorted((ROOT / "tests" / "rules").glob("*.yaml"))

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed; it comes with Debian's package prometheus"
)


def promtool(*arguments):
    """Run promtool; its output where it fails."""
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=3 * DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.servers
@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rules_file_loads(path):
    """As Prometheus would load it."""
    promtool("check", "rules", str(path))


@needs_promtool
@pytest.mark.servers
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_behave(path):
    """Each scenario of the file comes out as it says."""
    promtool("test", "rules", str(path))


def test_no_alert_goes_untested():
    """Each has a scenario in which it fires, one in which it does not, and where it reads a rate one with a reset."""
    assert untested(contents(RULES), contents(TESTS)) == []


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
    assert complaint in untested(contents(RULES), tests)


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


def reads_a_rate(expr, recorded):
    """Whether a counter's growth is in the expression, or in what was recorded for it."""
    text = promql_parser.parse(expr).prettify()
    if re.search(r"\b(rate|increase)\(", text):
        return True
    read = {name for name in re.findall(r"[a-z_]+:\w+:\w+", text) if recorded.get(name) not in (None, expr)}
    return any(reads_a_rate(recorded[name], recorded) for name in read)
