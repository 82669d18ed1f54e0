"""The drawings of dashboards: every kind of panel, from answers that are made here."""

import json
import math
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [*(ROOT / "dashboards").glob("*.json"), *(ROOT / "compose" / "grafana" / "dashboards").glob("*.json")]


@pytest.fixture
def drawing(monkeypatch):
    """The modules that draw; they belong to the documentation, and are no package that is installed."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    from drawing import answers, board, units

    yield answers, board.board, units.told
    for name in [each for each in sys.modules if each.split(".")[0] == "drawing"]:
        monkeypatch.delitem(sys.modules, name)


class Answering:
    """Every target has two lines, or as many buckets as a heatmap needs; their labels say which."""

    start, end = 0.0, 240.0

    def __init__(self, series):
        self._series = series

    def __call__(self, target):
        bounds = ("0.1", "1.0", "+Inf") if target.get("format") == "heatmap" else ("", "")
        points = [(60.0 * at, 1.0) for at in range(5)]
        return [
            self._series(f"line {number}", {"le": bound, "job": f"job {number}"}, points, target["refId"])
            for number, bound in enumerate(bounds)
        ]


class Silent(Answering):
    """Nothing happened."""

    def __call__(self, target):
        return []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_panel_of_a_dashboard_is_drawn(drawing, path):
    """Well-formed, with its title, and with the word that it is a drawing."""
    answers, board, _ = drawing
    dashboard = json.loads(path.read_text())
    drawn = ET.fromstring(board(dashboard, Answering(answers.Series)))
    said = {each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {panel["title"] for panel in dashboard["panels"]} <= said
    assert "drawn from the answers of a real Prometheus; no screenshot of Grafana" in said


def test_a_panel_without_figures_says_so(drawing):
    """As one of errors should be."""
    answers, board, _ = drawing
    dashboard = json.loads((ROOT / "dashboards" / "overview.json").read_text())
    assert "nothing, as it should be" in board(dashboard, Silent(answers.Series))


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.25, "percentunit", "25 %"),
        (0.00042, "s", "420 us"),
        (90, "s", "1.5 min"),
        (0, "s", "0 s"),
        (2048, "bytes", "2 KiB"),
        (59_000_000, "decbytes", "59 MB"),
        (12_345, "ops", "12.3 k/s"),
        (0.5, "suffix: cores", "0.5 cores"),
        (math.nan, "short", "-"),
    ],
)
def test_a_figure_has_its_unit(drawing, value, unit, said):
    """As short as a panel wants it."""
    *_, told = drawing
    assert told(value, unit) == said


@pytest.mark.parametrize("picture", [*(ROOT / "docs" / "dashboards").glob("*.svg")], ids=lambda path: path.stem)
def test_a_picture_is_of_a_dashboard_that_there_is(picture):
    """By its title; `make pictures` draws all anew."""
    [dashboard] = [json.loads(path.read_text()) for path in FILES if path.stem == picture.stem]
    assert ET.fromstring(picture.read_text())[0].text.startswith(f"{dashboard['title']}: drawn from")
