"""Every panel of every dashboard has data from the engine: finite, within its unit's range, with its labels."""

import functools
import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.servers

DASHBOARDS = Path(__file__).parents[2] / "dashboards"

# What Grafana puts in the place of its own variables, with 5 s between scrapes as compose has it.
VARIABLES = {"__rate_interval": "20s", "__interval": "15s", "__range": "1h", "__range_s": "3600"}

# The least and the greatest value that makes sense in a unit.
RANGES = {
    "bytes": (0, None),
    "decbytes": (0, None),
    "none": (0, None),
    "ops": (0, None),
    "percentunit": (0, 1),
    "reqps": (0, None),
    "s": (0, None),
    "short": (0, None),
    "suffix: cores": (0, None),
}


def panels(rows):
    """The panels in their order, those of collapsed rows too."""
    for panel in rows:
        yield panel
        yield from panels(panel.get("panels", []))


def targets():
    """Every query of every dashboard."""
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in panels(json.loads(path.read_text())["panels"]):
            for target in panel.get("targets", []):
                name = f"{path.stem}-{panel['title']}-{target['refId']}"
                yield pytest.param(path, panel, target, id=re.sub(r"\W+", "_", name))


def substituted(promql, values):
    """The expression with its variables replaced."""
    return re.sub(r"\$\{?(\w+)(?::\w+)?\}?", lambda found: values[found[1]], promql)


@pytest.fixture(scope="module")
def everything(world):
    """What Grafana puts in the place of a dashboard's variables where all is chosen: its own word, or each value."""

    @functools.cache
    def values(path):
        chosen = dict(VARIABLES)
        for variable in json.loads(path.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                chosen[variable["name"]] = variable.get("allValue") or each_value(variable["query"], chosen)
        return chosen

    def each_value(query, chosen):
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
        found = world.query(f"group by ({label}) ({substituted(selector, chosen)})")
        assert found, query
        return "(" + "|".join(re.escape(each.labels[label]).replace("\\", "\\\\") for each in found) + ")"

    return values


def test_there_are_dashboards():
    """A test over nothing would pass."""
    assert len(list(targets())) >= 10


def test_all_targets_are_those_with_manometer(world, everything):
    """Prometheus's and Alertmanager's own are scraped too, and would stay up when the engine is down."""
    values = everything(DASHBOARDS / "overview.json")
    up = world.query(substituted('up{job=~"$job", instance=~"$instance"}', values))
    assert {each.labels["job"] for each in up} == {"alluse"}


@pytest.mark.parametrize(("path", "panel", "target"), list(targets()))
def test_a_panel_has_sensible_data(world, eventually, everything, path, panel, target):
    """The query returns series, all finite, in the range of the unit, each with the labels that the legend names."""
    promql = substituted(target["expr"], everything(path))
    found = eventually(lambda: world.query_past(promql), 120, f"data of {promql}")
    assert all(each.finite for each in found), found
    unit = panel["fieldConfig"]["defaults"]["unit"]
    assert unit in RANGES, f"unit {unit!r} has no range; add it to this test"
    least, greatest = RANGES[unit]
    values = [value for each in found for value in each.values]
    assert min(values) >= least
    if greatest is not None and "predict_linear" not in promql and "forecast" not in promql:
        assert max(values) <= greatest + 1e-9
    for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]):
        assert all(label in each.labels for each in found), f"a series has no label {label!r}: {found}"
