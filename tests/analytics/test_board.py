"""The dashboard of analytics on a Prometheus that has the days of figures that it needs."""

import json
import math
import re

import pytest

from manometer.mixin import dashboards
from manometer.mixin.thresholds import Thresholds

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("analytics")]

BOARD = json.loads(dashboards.files(Thresholds())["analytics"])
TARGETS = [(panel, target) for panel in BOARD["panels"] for target in panel.get("targets", ())]


@pytest.mark.parametrize(
    ("panel", "target"), TARGETS, ids=[f"{panel['title']}-{target['refId']}" for panel, target in TARGETS]
)
def test_a_panel_has_data(prometheus, made, panel, target):
    """Series for every signal that has a trend or a past, all finite, with the labels that the legend names."""
    expr = re.sub(r"\$(job|instance|signal)\b", ".+", target["expr"])
    found = prometheus.series(expr, made.end - 3600, made.end, made.step)
    assert found
    assert all(math.isfinite(value) for samples in found.values() for value in samples.values())
    for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
        assert all(label in dict(labels) for labels in found)


def test_the_choice_offers_the_signals(prometheus, made):
    """Those that there are."""
    [query] = [each["query"] for each in BOARD["templating"]["list"] if each["name"] == "signal"]
    selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
    found = prometheus.series(re.sub(r"\$(job|instance)\b", ".+", selector), made.end, made.end, made.step)
    assert {dict(labels)[label] for labels in found} == {"memory", "throughput"}


@pytest.mark.parametrize(("shape", "state"), [("constant", 0), ("step", 1)])
def test_the_timeline_tells_what_was_unusual(prometheus, made, shape, state):
    """A step is higher than usual for some hours, and then it is what is usual."""
    [panel] = [each for each in BOARD["panels"] if each["title"] == "Unusual signals"]
    expr = panel["targets"][0]["expr"].replace("$job", shape).replace("$signal", "memory")
    [samples] = prometheus.series(expr, made.end - 86400, made.end, made.step).values()
    assert max(samples.values()) == state
    assert samples[made.end] == 0
