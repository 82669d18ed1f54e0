"""The rules with thresholds of one's own: each alert fires just beyond its threshold, and just within it stays quiet.

`make rules CONFIG=mixin.yaml` tries a user's own file.
"""

import os
from pathlib import Path

import pytest
import yaml

from edges import EDGES, STEP
from manometer.mixin import render
from manometer.mixin.rules import alerts
from manometer.mixin.thresholds import Thresholds, parse
from promtool import each_version, promtool

OTHERS = {
    "cache": {"hit_ratio": 0.97, "floor": 20},
    "pool": {"saturation_ratio": 0.5, "wait_seconds": 5, "wait_ratio": 0.2, "refusals": 40, "floor": 3},
    "queue": {"saturation_ratio": 0.3, "wait_seconds": 120, "refusals": 10, "refusals_window": "10m"},
    "engine": {
        "objective_ratio": 0.999,
        "latency_seconds": 1,
        "slow_ratio": 0.01,
        "stuck_seconds": 5,
        "waiting_stages": ["ask"],
        "floor": 2,
    },
    "resilience": {"exhausted_ratio": 0.3, "floor": 1},
    "runtime": {"memory_bytes": 4_000_000_000, "cpu_cores": 3.5, "memory_soft_ratio": 0.5, "memory_hard_ratio": 0.7},
    "timing": {"MemoryHigh": {"hold": "10m"}, "CacheHitRatioLow": {"hold": "0s"}},
}
OWN = os.environ.get("MIXIN_CONFIG")
CONFIGS = {"own": render.configuration(Path(OWN))} if OWN else {"defaults": Thresholds(), "others": parse(OTHERS)}

WITHOUT_AN_EDGE = {
    "CrashLooping": "restarts are counted in whole numbers: tests/rules/restarts.yaml",
    "EventLoopLagHigh": "its share of lag has two measures; tests/rules/runtime.yaml tries both",
    "MemoryLeak": "a trend over hours: tests/rules/runtime.yaml",
    "PoolExhaustionForecast": "a trend over an hour: tests/rules/pool.yaml",
    "SignalUnusual": "what is usual takes a week: tests/rules/analytics.yaml",
}
"""The alerts with a threshold that no scenario stands at the edge of, and why."""


@each_version
@pytest.mark.servers
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize(("subject", "alert"), EDGES, ids=[alert for _, alert in EDGES])
def test_an_alert_fires_just_beyond_its_threshold_and_not_within(name, tmp_path, config, subject, alert):
    """By Prometheus's own tool, once the alert's windows are full and its holding time is over."""
    (tmp_path / "rules.yaml").write_text(render.files(config)[f"alert_rules/{subject}.yaml"])
    at = f"{4200 + held(config, alert)}s"
    tests = [
        {
            "interval": f"{STEP}s",
            "input_series": [
                {"series": each, "values": values} for each, values in EDGES[subject, alert](config, beyond).items()
            ],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                    "eval_time": at,
                    "exp_samples": [{"labels": "{}", "value": int(beyond)}],
                }
            ],
        }
        for beyond in (True, False)
    ]
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": str(config.interval), "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(document))
    promtool(name, "test", "rules", str(tmp_path / "tests.yaml"))


def held(config, alert):
    """The longest holding time of an alert's rules, in seconds, and two minutes."""
    return 120 + max(
        timing.hold.seconds
        for key, timing in config.timing.items()
        if key.split(".")[0] == alert and "slow" not in key
    )


def test_every_alert_with_a_threshold_has_an_edge_or_a_reason():
    """A new threshold is tried with other values too."""
    with_one = {each.name for each in alerts(Thresholds()) if each.threshold is not None}
    assert with_one <= {name for _, name in EDGES} | WITHOUT_AN_EDGE.keys()
    assert not WITHOUT_AN_EDGE.keys() & {name for _, name in EDGES}
