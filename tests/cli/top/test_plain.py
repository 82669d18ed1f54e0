"""Boards as plain lines, for a log or a pipe."""

import io

from manometer.cli.top.figures import Board, Cell, Section, Trend
from manometer.cli.top.plain import PlainView


def _board(memory, *rows):
    """One interval: the process's memory, and an object a row with its figures."""
    cells = [tuple(map(Cell, row)) for row in rows]
    trend = Trend("lately", [None] * len(rows))
    section = Section("pools", ("pool", "used", "wait"), cells, [0.0] * len(rows), trend)
    return Board([("memory", Cell(memory)), ("cpu", Cell("1.0 %"))], [section])


def _shown(*boards):
    """The lines of the boards, without their times."""
    out = io.StringIO()
    with PlainView(out) as view:
        for each in boards:
            view.show(each)
    return [line.partition("  ")[2] for line in out.getvalue().splitlines()]


def test_the_lines_of_an_interval_are_aligned():
    """A line an object, with the name of each figure."""
    assert _shown(_board("84.0 MB", ("orders", "14/15", "4.96 s"), ("quotes (worker)", "3/4", "—"))) == [
        "process  memory 84.0 MB  cpu 1.0 %",
        "pools    orders           used 14/15  wait 4.96 s",
        "pools    quotes (worker)  used   3/4  wait      —",
    ]


def test_the_lines_stay_in_place_from_one_interval_to_the_next():
    """A shorter figure takes the room of the longer one before it, so that a column is read downwards."""
    wide, narrow = _board("984.0 MB", ("orders", "14/15", "4.96 s")), _board("84.0 MB", ("orders", "3/15", "—"))
    assert _shown(wide, narrow)[2:] == [
        "process  memory  84.0 MB  cpu 1.0 %",
        "pools    orders  used  3/15  wait      —",
    ]
