"""A panel as a drawing, by its kind: its own unit, thresholds and colours, and the figures that were answered."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from drawing.answers import Asked, Series
from drawing.graph import graph
from drawing.panel import Place, column_style, defaults, fixed_colors, inside, step_color, time_axis, unit_of
from drawing.svg import COLORS, FAINT, GRID, INK, PANEL, fitted, rect, text
from drawing.units import told

_PAD, _HEAD, _LINE = 10, 26, 15


def drawn(panel: dict[str, Any], place: Place, ask: Asked) -> Iterator[str]:
    """The panel with what its queries are answered."""
    yield rect(*place[:4], PANEL)
    yield text(place.x + _PAD, place.y + 18, fitted(panel["title"], place.width - 2 * _PAD, 12), 12, bold=True)
    found = [each for target in panel["targets"] for each in ask(target)]
    inner = place._replace(
        x=place.x + _PAD, y=place.y + _HEAD, width=place.width - 2 * _PAD, height=place.height - _HEAD - _PAD
    )
    if found:
        yield from _KINDS[panel["type"]](panel, found, inner)
    else:
        middle = place.x + place.width / 2
        yield text(middle, place.y + place.height / 2, "nothing, as it should be", fill=FAINT, anchor="middle")


def _stat(panel: dict[str, Any], found: list[Series], place: Place) -> Iterator[str]:
    said, color = (
        told(found[0].last, unit_of(panel)),
        step_color(defaults(panel)["thresholds"]["steps"], found[0].last),
    )
    for mapping in defaults(panel).get("mappings", ()):
        options = mapping["options"]
        if options["from"] <= found[0].last and (options["to"] is None or found[0].last <= options["to"]):
            said, color = options["result"]["text"], COLORS[options["result"]["color"]]
            break
    yield rect(*place[:4], color, 0.85)
    size = int(min(place.height * 0.5, place.width * 1.3 / max(len(said), 2)))
    x, y = place.x + place.width / 2, place.y + place.height / 2 + size / 3
    yield text(x, y, said, size, "#ffffff", "middle", bold=True)


def _heatmap(panel: dict[str, Any], found: list[Series], place: Place) -> Iterator[str]:
    unit = unit_of(panel)
    buckets = sorted(found, key=lambda each: float(each.labels["le"]))
    plot = inside(place, 16)
    times = sorted({when for each in buckets for when, _ in each.points})
    columns = {when: place for place, when in enumerate(times)}
    cells, before = [], {}
    for row, bucket in enumerate(buckets):
        for when, value in bucket.points:
            cells.append((columns[when], row, value - before.get(when, 0.0)))
            before[when] = value
    most = max(count for *_, count in cells) or 1
    wide, high = plot.width / len(times), plot.height / len(buckets)
    for column, row, count in cells:
        if count > 1e-9:
            x, y = plot.x + column * wide, plot.y + plot.height - (row + 1) * high
            yield rect(x, y, wide, high, "#5794f2", 0.1 + 0.9 * math.sqrt(count / most))
    for row in range(0, len(buckets), max(1, len(buckets) // 6)):
        bound = float(buckets[row].labels["le"])
        said = told(bound, unit) if math.isfinite(bound) else "longer"
        yield text(plot.x - 5, plot.y + plot.height - (row + 1) * high + 6, said, 9, FAINT, "end")
    yield from time_axis(plot)


def _timeline(panel: dict[str, Any], found: list[Series], place: Place) -> Iterator[str]:
    states = defaults(panel)["mappings"][0]["options"]
    label = min(190.0, place.width / 3)
    plot = place._replace(x=place.x + label, width=place.width - label, height=place.height - 34)
    high = min(plot.height / len(found), 30.0)
    for row, series in enumerate(found):
        y = place.y + row * high
        yield text(place.x, y + high / 2 + 4, fitted(series.name, label - 8, 10), 10)
        for began, ended, value in _spells(series, place.end):
            color = COLORS[states[f"{value + 0.0:g}"]["color"]]  # 0 may come as -0
            yield rect(plot.at(began), y + 3, plot.at(ended) - plot.at(began), high - 6, color, 0.85)
    yield from time_axis(plot)
    for column, state in enumerate(states.values()):
        x, y = plot.x + 110 * column, place.y + place.height
        yield rect(x, y - 8, 10, 8, COLORS[state["color"]])
        yield text(x + 15, y, state["text"], 10)


def _spells(series: Series, end: float) -> Iterator[tuple[float, float, float]]:
    """From when to when the series had each value."""
    began, value = series.points[0]
    for when, new in series.points:
        if new != value:
            yield began, when, value
            began, value = when, new
    yield began, end, value


def _bars(panel: dict[str, Any], found: list[Series], place: Place) -> Iterator[str]:
    steps = defaults(panel)["thresholds"]["steps"]
    top = defaults(panel).get("max") or max(each.last for each in found) or 1
    label, high = min(190.0, place.width / 2.6), min(place.height / len(found), 34.0)
    fixed = fixed_colors(panel)
    for row, series in enumerate(found):
        y = place.y + row * high
        yield text(place.x, y + high / 2 + 4, fitted(series.name, label - 8, 10), 10)
        room = place.width - label - 70
        yield rect(place.x + label, y + 3, room, high - 6, GRID)
        color = fixed.get(series.ref) or step_color(steps, series.last)
        yield rect(place.x + label, y + 3, room * min(series.last / top, 1), high - 6, color, 0.85)
        yield text(place.x + place.width, y + high / 2 + 4, told(series.last, unit_of(panel)), 10, anchor="end")


def _table(panel: dict[str, Any], found: list[Series], place: Place) -> Iterator[str]:
    named = panel["transformations"][1]["options"]["renameByName"]
    order = panel["transformations"][1]["options"]["indexByName"]
    labels = sorted((name for name in named if not name.startswith("Value")), key=lambda name: order[name])
    columns = {target["refId"]: target["legendFormat"] for target in panel["targets"]}
    lines: dict[tuple[str, ...], dict[str, float]] = {}
    for series in found:
        lines.setdefault(tuple(series.labels.get(name, "") for name in labels), {})[series.ref] = series.last
    [by] = panel["options"]["sortBy"]
    ref = next((ref for ref, title in columns.items() if title == by["displayName"]), None)

    def rank(each: tuple[tuple[str, ...], dict[str, float]]) -> Any:
        if ref is None:
            return each[0][[named[name] for name in labels].index(by["displayName"])]
        return each[1].get(ref, -math.inf)

    wide = place.width / len(named)
    titles = [*(named[name] for name in labels), *columns.values()]
    for column, title in enumerate(titles):
        yield text(place.x + column * wide, place.y + 10, fitted(title, wide - 6, 10), 10, COLORS["blue"], bold=True)
    fits = int((place.height - 14) / _LINE)
    for row, (key, values) in enumerate(sorted(lines.items(), key=rank, reverse=by["desc"])[:fits]):
        y = place.y + 14 + (row + 1) * _LINE - 3
        for column, said in enumerate(key):
            yield text(place.x + column * wide, y, fitted(said, wide - 6, 10), 10)
        for column, (ref_of, title) in enumerate(columns.items(), start=len(key)):
            if ref_of in values:
                unit, steps = column_style(panel, title)
                color = step_color(steps, values[ref_of]) if len(steps) > 1 else INK
                yield text(place.x + column * wide, y, told(values[ref_of], unit), 10, color)


_KINDS: dict[str, Callable[[dict[str, Any], list[Series], Place], Iterator[str]]] = {
    "timeseries": graph,
    "stat": _stat,
    "heatmap": _heatmap,
    "state-timeline": _timeline,
    "bargauge": _bars,
    "table": _table,
}
