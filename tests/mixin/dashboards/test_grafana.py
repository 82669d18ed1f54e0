"""Grafana's JSON: laid out without overlap, nothing lost on the way."""

import json

import pytest

from manometer.errors import ConfigError
from manometer.mixin.dashboards import grafana
from manometer.mixin.dashboards.panel import Dashboard, Graph, Query, Row
from manometer.mixin.thresholds import Thresholds


def board(*rows):
    """A dashboard of these rows."""
    return Dashboard(uid="u", title="T", description="D.", variables=(), rows=rows)


def render(made):
    """Its JSON at the default thresholds."""
    return grafana.render(made, Thresholds())


def panel(width, height):
    """A panel of that size."""
    return Graph("P", "d", "s", (Query("up", "x"),), width=width, height=height)


def test_panels_fill_lines_from_left_to_right():
    """A panel that does not fit starts a new line below the highest one."""
    made = json.loads(render(board(Row("A", (panel(12, 8), panel(8, 4), panel(12, 4))), Row("B", (panel(24, 3),)))))
    places = [[each["gridPos"][key] for key in "xywh"] for each in made["panels"]]
    assert places == [[0, 0, 24, 1], [0, 1, 12, 8], [12, 1, 8, 4], [0, 9, 12, 4], [0, 13, 24, 1], [0, 14, 24, 3]]


def test_limits_are_dashed_by_the_query_that_they_come_from():
    """A legend may be a template, whose names nobody knows beforehand."""
    queries = (Query("up", "{{job}}"), Query("most", "{{job}} limit", limit=True))
    [_, made] = json.loads(render(board(Row("A", (Graph("P", "d", "s", queries),)))))["panels"]
    [override] = made["fieldConfig"]["overrides"]
    assert override["matcher"] == {"id": "byFrameRefID", "options": made["targets"][1]["refId"]}
    assert "custom.lineStyle" in [each["id"] for each in override["properties"]]


def test_a_key_that_the_model_does_not_know_is_noticed():
    """The SDK reads what it knows, and drops the rest without a word."""
    made = json.loads(render(board(Row("A", (panel(12, 8),)))))
    assert grafana.lost_keys(made) == []
    made["panels"][1]["fieldConfig"]["defaults"]["unti"] = "s"
    made["colour"] = "red"
    assert grafana.lost_keys(made) == ["panels[1].fieldConfig.defaults.unti", "colour"]


def test_a_dashboard_that_would_lose_a_key_is_refused(monkeypatch):
    """Better no file than half a panel."""
    monkeypatch.setattr(grafana, "lost_keys", lambda _: ["panels[1].unti", "colour"])
    with pytest.raises(ConfigError) as refused:
        render(board(Row("A", (panel(12, 8),))))
    assert str(refused.value) == ("dashboard 'u' has keys that Grafana's model does not know: panels[1].unti, colour")
