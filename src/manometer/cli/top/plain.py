"""Boards as plain lines: one for the process, and one for each stage, cache, pool and queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self, TextIO

from manometer.cli.top.figures import Board, Cell
from manometer.cli.top.notes import Note

__all__ = ["PlainView"]

_NAME = ""  # the head of a column that says of which object the line is


class PlainView:
    """Writes an aligned line an object and interval, each with its time, for a log or a pipe.

    A column keeps the greatest width that it has had, so that it stays in place from one interval to the next.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._notes: Sequence[Note] = ()
        self._widths: dict[str, list[int]] = {}

    def show(self, board: Board) -> None:
        """Write the interval's lines."""
        heads, figures = zip(*board.header, strict=True)
        lines = self._lines("process", heads, [figures])
        for section in board.sections:
            lines += self._lines(section.title, (_NAME, *section.heads[1:]), section.rows)
        self._write(lines)

    def say(self, message: str) -> None:
        """Write the message as a line."""
        self._write([message])

    def note(self, notes: Sequence[Note]) -> None:
        """Write those of the notes that were not there before, a line each."""
        self._write([f"note     {note.text}" for note in notes if note not in self._notes])
        self._notes = notes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held."""

    def _lines(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
        texts = [[cell.text for cell in row] for row in rows]
        widths = self._widths.setdefault(title, [0] * len(heads))
        for row in texts:
            widths[:] = map(max, widths, map(len, row))
        return [f"{title:<7}  {'  '.join(map(_shown, heads, row, widths))}" for row in texts]

    def _write(self, lines: list[str]) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        self._out.writelines(f"{now}  {line}\n" for line in lines)
        self._out.flush()


def _shown(head: str, text: str, width: int) -> str:
    return f"{text:<{width}}" if head == _NAME else f"{head} {text:>{width}}"
