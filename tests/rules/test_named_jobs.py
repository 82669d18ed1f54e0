"""Rules for scrape jobs that somebody named: they should always have a target that can be scraped."""

import subprocess

import pytest
import yaml

from manometer.mixin import render
from manometer.mixin.thresholds import parse
from waiting import DEADLINE

pytestmark = pytest.mark.servers

NAMED = {"jobs": ["web", "batch"], "runbooks": "https://wiki.example/runbooks/"}
DOWN = {
    "summary": "{job} cannot be scraped",
    "description": "Prometheus gets no figures from {whom} of {job}: it is down, or cannot be reached.",
    "runbook_url": "https://wiki.example/runbooks/TargetDown.md",
}


def expected(job, whom="any target", **labels):
    """TargetDown of a job, or of one of its targets."""
    return {
        "exp_labels": {"job": job, "severity": "critical", **labels},
        "exp_annotations": {name: text.format(job=job, whom=whom) for name, text in DOWN.items()},
    }


def test_a_named_job_without_a_target_is_told_and_one_that_was_never_up(program, tmp_path):
    """Prometheus need never have seen their figures; other jobs are left alone."""
    promtool = program("promtool", "prometheus")
    (tmp_path / "meta.yaml").write_text(render.files(parse(NAMED))["alert_rules/meta.yaml"])
    series = {'up{job="web", instance="a"}': "0x24", 'up{job="other", instance="o"}': "0x24"}
    case = {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {
                "alertname": "TargetDown",
                "eval_time": "4m",
                "exp_alerts": [expected("web", "a", instance="a"), expected("batch")],
            }
        ],
    }
    tests = {"rule_files": ["meta.yaml"], "evaluation_interval": "15s", "tests": [case]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests))
    done = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "tests.yaml")],
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
