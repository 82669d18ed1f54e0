"""A dashboard of a program's own, made as the page on dashboards says."""

import json
import re
from pathlib import Path

import pytest

from manometer import dashboards
from manometer.errors import ConfigError

PAGE = Path(__file__).parents[3] / "docs" / "dashboards.md"


def test_the_page_s_example_writes_a_dashboard(tmp_path, monkeypatch):
    """With the kit's choices, marks and links, and a query that follows them."""
    monkeypatch.chdir(tmp_path)
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(example, PAGE.name, "exec"), {})
    made = json.loads((tmp_path / "orders.json").read_text())
    assert [each["name"] for each in made["templating"]["list"]] == ["datasource", "job", "instance"]
    assert made["uid"] == "manometer-orders"
    assert made["links"][0]["tags"] == ["manometer"]
    assert (
        'orders_total{job=~"$job",instance=~"$instance",outcome="failed"}' in made["panels"][1]["targets"][0]["expr"]
    )


def test_a_configuration_narrows_it_too(tmp_path):
    """The file of `manometer mixin --config`; what is wrong in it is told."""
    config = tmp_path / "mixin.yaml"
    config.write_text("dashboards: {cluster_label: region}\n")
    row = dashboards.Row("R", (dashboards.Graph("T", "D.", "ops", (dashboards.Query(dashboards.chosen("x"), "x"),)),))
    assert 'x{region=~\\"$cluster\\",job' in dashboards.written(dashboards.board("b", "B", "D.", (row,)), config)
    config.write_text("dashboards: {cluster: region}\n")
    with pytest.raises(ConfigError, match=r"unknown key 'dashboards\.cluster'"):
        dashboards.written(dashboards.board("b", "B", "D.", (row,)), config)
