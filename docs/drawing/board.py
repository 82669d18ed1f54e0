"""A dashboard as a drawing: its rows and panels where Grafana has them."""

from typing import Any

from drawing.answers import Asked
from drawing.panel import Place
from drawing.panels import drawn
from drawing.svg import FAINT, picture, text

_COLUMN, _HIGH, _GAP, _TOP = 50, 30, 6, 44
_SAID = "drawn from the answers of a real Prometheus; no screenshot of Grafana"


def board(dashboard: dict[str, Any], ask: Asked) -> str:
    """The SVG of a dashboard's JSON."""
    shapes = [text(12, 28, dashboard["title"], 18, bold=True), text(1188, 28, _SAID, 11, FAINT, "end")]
    bottom = 0
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        bottom = max(bottom, at["y"] + at["h"])
        x, y = at["x"] * _COLUMN, _TOP + at["y"] * _HIGH
        if panel["type"] == "row":
            shapes.append(text(x + 12, y + 20, panel["title"], 14, bold=True))
        else:
            size = at["w"] * _COLUMN - _GAP, at["h"] * _HIGH - _GAP
            place = Place(x + _GAP / 2, y + _GAP / 2, *size, ask.start, ask.end)
            shapes += drawn(panel, place, ask)
    return picture(24 * _COLUMN, _TOP + bottom * _HIGH + 8, f"{dashboard['title']}: {_SAID}", shapes)
