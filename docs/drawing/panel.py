"""A panel's JSON, read for what is drawn; and the place that it is drawn in."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from drawing.answers import Series
from drawing.svg import COLORS, FAINT, SERIES, text
from drawing.units import told


class Place(NamedTuple):
    """Where something is drawn, and the Unix times that its width stands for."""

    x: float
    y: float
    width: float
    height: float
    start: float
    end: float

    def at(self, when: float) -> float:
        """Where a time is."""
        return self.x + (when - self.start) / (self.end - self.start) * self.width


def inside(place: Place, below: float) -> Place:
    """Where the lines are: what the figures beside and the text below leave."""
    return place._replace(x=place.x + 52, y=place.y + 4, width=place.width - 56, height=place.height - below - 4)


def time_axis(plot: Place) -> Iterator[str]:
    """The times under a plot."""
    for part in range(5):
        said = "now" if part == 4 else f"-{told((plot.end - plot.start) * (1 - part / 4), 's')}"
        yield text(plot.x + plot.width * part / 4, plot.y + plot.height + 13, said, 9, FAINT, "middle")


def defaults(panel: dict[str, Any]) -> dict[str, Any]:
    """What holds for all of its series."""
    return panel["fieldConfig"]["defaults"]


def custom(panel: dict[str, Any]) -> dict[str, Any]:
    """What is of its kind alone."""
    return defaults(panel).get("custom", {})


def unit_of(panel: dict[str, Any]) -> str:
    """Grafana's id of its unit."""
    return defaults(panel)["unit"]


def overrides(panel: dict[str, Any], identity: str) -> Iterator[tuple[str, Any]]:
    """What a property is by the query, or the column, that has one of its own."""
    for override in panel["fieldConfig"].get("overrides") or ():
        for each in override["properties"]:
            if each["id"] == identity:
                yield override["matcher"]["options"], each["value"]


def refs(panel: dict[str, Any], identity: str) -> set[str]:
    """The queries that have a property of their own."""
    return {ref for ref, _ in overrides(panel, identity)}


def fixed_colors(panel: dict[str, Any]) -> dict[str, str]:
    """The colour by the query that has one of its own."""
    return {ref: COLORS[value["fixedColor"]] for ref, value in overrides(panel, "color")}


def colors(panel: dict[str, Any], found: list[Series]) -> list[str]:
    """A colour for each series."""
    fixed = fixed_colors(panel)
    return [fixed.get(series.ref) or SERIES[place % len(SERIES)] for place, series in enumerate(found)]


def column_style(panel: dict[str, Any], title: str) -> tuple[str, list[dict[str, Any]]]:
    """The unit and the thresholds of a table's column."""
    units, thresholds = dict(overrides(panel, "unit")), dict(overrides(panel, "thresholds"))
    return units.get(title, "none"), thresholds[title]["steps"] if title in thresholds else []


def step_color(steps: list[dict[str, Any]], value: float) -> str:
    """The colour that a figure has by thresholds."""
    reached = [each["color"] for each in steps if each["value"] is None or value >= each["value"]]
    return COLORS[reached[-1]]
