"""A board laid out for a terminal: as much of it as fits, and a line that says what does not."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from manometer.cli.top.figures import Board, Cell, Section
from manometer.cli.top.notes import Note
from manometer.cli.top.trend import KEPT, Trends, sparkline

__all__ = ["ALARMING", "GAP", "Line", "Piece", "laid_out"]

ALARMING = "bold red"
GAP = "  "
NAME_WIDTH = 12
"""Characters of the first column that are kept however narrow the terminal is."""
FIRST = 5
"""Figures that count for more than a whole name."""
TREND_WIDTH = 8
"""Characters that a trend has at least, or is not shown."""


class Piece(NamedTuple):
    """A part of a line. style: one of rich's."""

    text: str
    style: str = ""


Line = list[Piece]


def laid_out(
    board: Board, notes: Sequence[Note], trends: Trends, width: int, height: int, above: int = 0
) -> list[Line]:
    """The lines for a terminal of that size, `above` lines of which are somebody else's.

    Columns are left out from the right, then the name is cut; rows are left out of the longest section, those
    that matter least first.
    """
    sections = [section for section in board.sections if section.rows]
    head, height = _head(board, notes, width), height - above
    if not sections:
        return [*head, [], [Piece("no stages, caches, pools or queues are among its figures yet")]]
    needed = max(_width(section) for section in sections)
    columns = sum(len(section.heads) - len(_widths(section, width)) for section in sections)
    rows = sum(len(section.rows) for section in sections)
    room = height - len(head) - (1 if columns else 0)
    if rows + 2 * len(sections) <= room:
        shown, between = sections, True
    else:
        room = height - len(head) - 1
        shown, between = _shortened(sections, room), False
    hidden = rows - sum(len(section.rows) for section in shown)
    lines = list(head)
    for section in shown:
        lines += [[]] if between else []
        lines += _table(section, trends, width)
    if columns or hidden:
        high = len(_head(board, notes, max(width, needed))) + rows + 2 * len(sections)
        lines.append([Piece(_cut_off(columns, hidden, needed, high + above), "yellow")])
    return lines


def _cut_off(columns: int, rows: int, width: int, height: int) -> str:
    """What is hidden, and the size of a terminal that shows it."""
    if not rows:
        return f"{_count(columns, 'column')} hidden: {width} characters a line show all"
    if not columns:
        return f"{_count(rows, 'row')} hidden: {height} lines show all"
    return f"{_count(columns, 'column')} and {_count(rows, 'row')} hidden: {width}x{height} shows all"


def _head(board: Board, notes: Sequence[Note], width: int) -> list[Line]:
    figures = [Piece(f"{name} {cell.text}", ALARMING if cell.alarming else "bold") for name, cell in board.header]
    lines = []
    for note in notes:
        style = ALARMING if note.alarming else "dim"
        lines += _filled([Piece(text, style) for text in note.text.split(GAP)], width)
    return [*lines, *_filled(figures, width)]


def _filled(pieces: Iterable[Piece], width: int) -> list[Line]:
    """The pieces side by side, in as many lines as they take."""
    lines: list[Line] = [[]]
    for piece in pieces:
        used = sum(len(each.text) for each in lines[-1])
        if lines[-1] and used + len(GAP) + len(piece.text) > width:
            lines.append([])
        gap = [Piece(GAP)] if lines[-1] else []
        lines[-1] += [*gap, piece]
    return lines


def _shortened(sections: Sequence[Section], room: int) -> list[Section]:
    """The sections without as many rows as do not fit, and at last without whole sections."""
    shown = list(sections)
    while shown and sum(1 + len(section.rows) for section in shown) > room:
        longest = max(range(len(shown)), key=lambda at: (len(shown[at].rows), at))
        if len(shown[longest].rows) == 1:
            shown.pop()
        else:
            shown[longest] = _without_one(shown[longest])
    return shown


def _without_one(section: Section) -> Section:
    """Without the row that matters least; one that alarms matters most."""
    alarming = [any(cell.alarming for cell in row) for row in section.rows]
    kept = list(range(len(section.rows)))
    kept.remove(min(kept, key=lambda at: (alarming[at], section.weights[at], -at)))
    return section._replace(rows=[section.rows[at] for at in kept], weights=[section.weights[at] for at in kept])


def _table(section: Section, trends: Trends, width: int) -> list[Line]:
    widths = _widths(section, width)
    trend = min(width - _width(section) - len(GAP), KEPT)
    lines = []
    for number, row in enumerate(_grid(section)):
        style = "bold cyan" if number == 0 else ""
        line = []
        for at, (cell, size) in enumerate(zip(row, widths, strict=False)):
            text = f"{_cut(cell.text, size):<{size}}" if at == 0 else f"{GAP}{cell.text:>{size}}"
            line.append(Piece(text, ALARMING if cell.alarming else style))
        if trend >= max(TREND_WIDTH, len(section.trend.head)):
            past = trends.of(section.title, row[0].text)[-trend:]
            bars = section.trend.head if number == 0 else sparkline(past, section.trend.highest)
            line.append(Piece(f"{GAP}{bars:>{trend}}", style or "green"))
        lines.append(line)
    return lines


def _grid(section: Section) -> list[tuple[Cell, ...]]:
    return [tuple(map(Cell, section.heads)), *section.rows]


def _full_widths(section: Section) -> list[int]:
    return [max(len(cell.text) for cell in column) for column in zip(*_grid(section), strict=True)]


def _width(section: Section) -> int:
    """Characters that the section takes with all its columns."""
    widths = _full_widths(section)
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _widths(section: Section, width: int) -> list[int]:
    """The widths of as many columns as fit. The name is cut, to a few characters, for the first figures alone."""
    name, *figures = _full_widths(section)
    while len(figures) > FIRST and name + sum(figures) + len(GAP) * len(figures) > width:
        figures.pop()
    while figures and min(name, NAME_WIDTH) + sum(figures) + len(GAP) * len(figures) > width:
        figures.pop()
    left = width - sum(figures) - len(GAP) * len(figures)
    return [max(min(name, left), 1), *figures]


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
