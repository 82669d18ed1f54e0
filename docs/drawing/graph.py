"""Lines over time, and the table of their figures below."""

import math
from collections.abc import Iterator
from typing import Any

from drawing.answers import POINTS, Series
from drawing.panel import Place, colors, custom, inside, refs, time_axis, unit_of
from drawing.svg import FAINT, GRID, INK, area, fitted, line, rect, text
from drawing.units import told

_LINE = 15


def graph(panel: dict[str, Any], found: list[Series], place: Place) -> Iterator[str]:
    """A time series panel with what its queries were answered."""
    unit, stacked = unit_of(panel), custom(panel).get("stacking", {}).get("mode") == "normal"
    rows = min(len(found), max(1, int(place.height / 55)))
    plot = inside(place, (rows + 1) * _LINE + 18)
    limits = refs(panel, "custom.lineStyle")
    top = max([*_tops(found, limits, stacked), custom(panel).get("axisSoftMax", 0)]) or 1
    ticks = _ticks(top)
    top = max(top, ticks[-1])

    def at(when: float, value: float) -> tuple[float, float]:
        return plot.at(when), plot.y + plot.height * (1 - value / top)

    for tick in ticks:
        height = at(plot.start, tick)[1]
        yield line([(plot.x, height), (plot.x + plot.width, height)], GRID)
        yield text(plot.x - 5, height + 4, told(tick, unit.partition(":")[0]), 9, FAINT, "end")
    yield from time_axis(plot)
    below: dict[float, float] = {}
    for series, color in zip(found, colors(panel, found), strict=True):
        if series.ref in limits or not stacked:
            for piece in _pieces([point for point in series.points if point[1] <= top * 1.001], plot):
                yield line([at(*point) for point in piece], color, dashed=series.ref in limits)
            continue
        bottom = [(when, below.get(when, 0.0)) for when, _ in series.points]
        for when, value in series.points:
            below[when] = below.get(when, 0.0) + value
        edge = [at(when, below[when]) for when, _ in series.points]
        yield area([*edge, *reversed([at(*point) for point in bottom])], color, 0.4)
        yield line(edge, color)
    under = place._replace(y=place.y + place.height - (rows + 1) * _LINE)
    yield from _legend(panel, found, under, rows)


def _pieces(points: list[tuple[float, float]], plot: Place) -> Iterator[list[tuple[float, float]]]:
    """The points without the gaps between them: where there was no figure there is no line."""
    piece: list[tuple[float, float]] = []
    for when, value in points:
        if piece and when - piece[-1][0] > 3 * (plot.end - plot.start) / POINTS:
            yield piece
            piece = []
        piece.append((when, value))
    yield piece


def _ticks(top: float) -> list[float]:
    """Round figures from 0 on, four or five of them, the last at or above the top."""
    size = 10 ** math.floor(math.log10(top / 4))
    step = next(size * part for part in (1, 2, 2.5, 5, 10) if size * part * 4 >= top * 0.999)
    return [step * part for part in range(5) if step * (part - 1) < top]


def _tops(found: list[Series], limits: set[str], stacked: bool) -> Iterator[float]:
    """How high the lines go; a limit far above everything is left out of the picture."""
    heights: dict[float, float] = {}
    for series in found:
        for when, value in series.points if series.ref not in limits else ():
            heights[when] = heights.get(when, 0.0) + value if stacked else max(heights.get(when, 0.0), value)
    highest = max(heights.values(), default=0.0)
    yield highest
    for series in found:
        if series.ref in limits and (series.last <= 4 * highest or not highest):
            yield series.last


def _legend(panel: dict[str, Any], found: list[Series], place: Place, rows: int) -> Iterator[str]:
    """The lines with the greatest figures; Grafana has all of them, to be scrolled through."""
    unit, right, limits = unit_of(panel), place.x + place.width, refs(panel, "custom.lineStyle")
    for column, said in enumerate(("last", "max", "mean")):
        yield text(right - 70 * column, place.y + 8, said, 9, FAINT, "end")
    lines = sorted(
        zip(found, colors(panel, found), strict=True), key=lambda each: (each[0].ref in limits, -_mean(each[0]))
    )
    for row, (series, color) in enumerate(lines[:rows]):
        y = place.y + 8 + (row + 1) * _LINE
        more = f" (and {len(found) - rows} more)" if row == rows - 1 and len(found) > rows else ""
        yield rect(place.x, y - 6, 10, 4, color)
        yield text(place.x + 15, y, fitted(series.name, place.width - 235 - 6 * len(more), 10) + more, 10)
        for column, value in enumerate((series.last, max(value for _, value in series.points), _mean(series))):
            yield text(right - 70 * column, y, told(value, unit), 10, INK, "end")


def _mean(series: Series) -> float:
    return math.fsum(value for _, value in series.points) / len(series.points)
