"""Boards as one table that stays in place in a terminal, by rich."""

from datetime import datetime
from typing import Self

from manometer.cli.top.figures import Board, Cell, Section
from manometer.errors import ConfigError

try:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text
except ImportError:
    raise ConfigError(
        "the live table needs an extra: pip install 'manometer[top]'; or send the output to a file for plain lines"
    ) from None

__all__ = ["LiveView"]

GAP = "  "
NAME_WIDTH = 12
"""Characters of the first column that are kept however narrow the terminal is."""


class LiveView:
    """Redraws the table in place. What does not fit the terminal's width is left out, from the right."""

    def __init__(self, target: str, console: Console | None = None) -> None:
        self._target = target
        self._console = console or Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False)
        self._body: list[Text] = []

    def show(self, board: Board) -> None:
        """Draw the interval's figures."""
        self._body = _header(board.header, self._console.width)
        for section in board.sections:
            if section.rows:
                self._body += [Text(), *_table(section, self._console.width)]
        self._draw("")

    def say(self, message: str) -> None:
        """Draw the message above the last figures."""
        self._draw(message)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def _draw(self, message: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        top = Text(f"{self._target}{GAP}{now}", "dim")
        lines = [top, *([Text(message, "bold red")] if message else []), *self._body]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        self._live.update(Group(*lines), refresh=True)


def _header(figures: list[tuple[str, Cell]], width: int) -> list[Text]:
    lines = [Text()]
    for name, cell in figures:
        figure = Text(f"{name} {cell.text}", "bold red" if cell.alarming else "bold")
        if lines[-1] and len(lines[-1]) + len(GAP) + len(figure) > width:
            lines.append(Text())
        lines[-1].append(GAP if lines[-1] else "").append(figure)
    return lines


def _table(section: Section, width: int) -> list[Text]:
    grid = [tuple(map(Cell, section.heads)), *section.rows]
    widths = _widths(grid, width)
    lines = []
    for number, row in enumerate(grid):
        line = Text(style="bold cyan" if number == 0 else "")
        for at, (cell, size) in enumerate(zip(row, widths, strict=False)):
            text = f"{_cut(cell.text, size):<{size}}" if at == 0 else f"{GAP}{cell.text:>{size}}"
            line.append(text, "bold red" if cell.alarming else "")
        lines.append(line)
    return lines


def _widths(grid: list[tuple[Cell, ...]], width: int) -> list[int]:
    """The widths of as many columns as fit; the name gives way first, down to a few characters."""
    widths = [max(len(cell.text) for cell in column) for column in zip(*grid, strict=True)]
    name, *figures = widths
    while figures and min(name, NAME_WIDTH) + sum(figures) + len(GAP) * len(figures) > width:
        figures.pop()
    left = width - sum(figures) - len(GAP) * len(figures)
    return [max(min(name, left), 1), *figures]


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"
