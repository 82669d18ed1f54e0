"""The entry for jsonnet, evaluated by jsonnet."""

import json

import _jsonnet as jsonnet
import pytest
import yaml

from manometer.mixin import output, render
from manometer.mixin.thresholds import Thresholds

PLAIN = render.files(Thresholds())


@pytest.fixture
def evaluated(tmp_path):
    """Evaluates jsonnet beside the files of the mixin."""
    output.write(render.files(Thresholds(), "jsonnet"), tmp_path)
    return lambda text: json.loads(jsonnet.evaluate_snippet(str(tmp_path / "main.jsonnet"), text))


def test_the_entry_has_all_rules_alerts_and_dashboards(evaluated):
    """Each rule once, under the kind that it is, in a group with the interval of its own."""
    mixin = "local mixin = import 'mixin.libsonnet'; "
    rules, alerts, boards = (
        evaluated(f"{mixin} mixin.{part}") for part in ("prometheusRules", "prometheusAlerts", "grafanaDashboards")
    )
    plain = [
        group
        for path, text in PLAIN.items()
        if path.startswith("alert_rules/")
        for group in yaml.safe_load(text)["groups"]
    ]
    for kind, suffix, made in (("record", "rules", rules), ("alert", "alerts", alerts)):
        wanted = {f"{group['name']}.{suffix}": (group["interval"], _of(kind, group)) for group in plain}
        assert {group["name"]: (group["interval"], group["rules"]) for group in made["groups"]} == {
            name: (interval, found) for name, (interval, found) in wanted.items() if found
        }
    assert boards == {
        path.removeprefix("dashboards/"): json.loads(text)
        for path, text in PLAIN.items()
        if path.startswith("dashboards/")
    }


def _of(kind, group):
    return [rule for rule in group["rules"] if kind in rule]


def test_mixins_are_added_up(evaluated):
    """As jsonnet's mixins are: what another has stays."""
    text = """
    ({ prometheusAlerts:: { groups: [{ name: 'mine', rules: [] }] }, grafanaDashboards:: { 'mine.json': {} } }
     + (import 'mixin.libsonnet'))
    """
    assert evaluated(f"{text}.prometheusAlerts.groups[0].name") == "mine"
    assert {"mine.json", "overview.json"} <= evaluated(f"{text}.grafanaDashboards").keys()


def test_all_groups_fit_into_one_file(evaluated):
    """As kube-prometheus loads them: so no two have a name."""
    groups = evaluated(
        "local mixin = import 'mixin.libsonnet'; mixin.prometheusAlerts.groups + mixin.prometheusRules.groups"
    )
    names = [group["name"] for group in groups]
    assert len(set(names)) == len(names)
