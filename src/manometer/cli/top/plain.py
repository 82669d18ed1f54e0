"""Boards as plain lines: one for the process, and one for each stage, cache, pool and queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self, TextIO

from manometer.cli.top.figures import Board, Section
from manometer.cli.top.notes import Note

__all__ = ["PlainView"]


class PlainView:
    """Writes an aligned line an object and interval, each with its time, for a log or a pipe."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._notes: Sequence[Note] = ()

    def show(self, board: Board) -> None:
        """Write the interval's lines."""
        lines = [f"process  {'  '.join(f'{name} {cell.text}' for name, cell in board.header)}"]
        for section in board.sections:
            lines += _lines(section)
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

    def _write(self, lines: list[str]) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        self._out.writelines(f"{now}  {line}\n" for line in lines)
        self._out.flush()


def _lines(section: Section) -> list[str]:
    columns = list(zip(*[[cell.text for cell in row] for row in section.rows], strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for name, *figures in section.rows:
        shown = [
            f"{head} {cell.text:>{width}}"
            for head, cell, width in zip(section.heads[1:], figures, widths[1:], strict=True)
        ]
        lines.append(f"{section.title:<7}  {'  '.join([f'{name.text:<{widths[0]}}', *shown])}")
    return lines
