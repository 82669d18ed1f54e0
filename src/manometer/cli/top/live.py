"""Boards as one table that stays in place in a terminal, by rich."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Self

from manometer.cli.top.figures import Board
from manometer.cli.top.layout import ALARMING, GAP, Line, Piece, laid_out
from manometer.cli.top.notes import Note
from manometer.cli.top.trend import Trends
from manometer.errors import ConfigError

try:
    from rich.console import Console, Group
    from rich.screen import Screen
    from rich.text import Text
except ImportError:
    raise ConfigError(
        "the live table needs an extra: pip install 'manometer[top]'; or send the output to a file for plain lines"
    ) from None

__all__ = ["LiveView"]

_EVERYTHING = 10_000  # lines


class LiveView:
    """Draws on the terminal's other screen, and leaves the last board behind on its first one, without the notes.

    So nothing is drawn twice, whatever happens to the terminal's size meanwhile.
    """

    def __init__(self, target: str, console: Console | None = None) -> None:
        self._target = target
        self._console = console or Console(highlight=False)
        self._entered = ExitStack()
        self._board: Board | None = None
        self._notes: Sequence[Note] = ()
        self._trends = Trends()
        self._message = ""

    def show(self, board: Board) -> None:
        """Draw the interval's figures."""
        self._board, self._message = board, ""
        self._trends.add(board)
        self._draw()

    def say(self, message: str) -> None:
        """Draw the message above the last figures."""
        self._message = message
        self._draw()

    def note(self, notes: Sequence[Note]) -> None:
        """Draw the notes above the figures."""
        self._notes = notes
        self._draw()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._entered.enter_context(self._console.screen(hide_cursor=True))
            self.say("waiting for its first figures")
        return self

    def __exit__(self, *exc: object) -> None:
        self._entered.close()
        if self._board is not None:
            self._console.print(self._drawn(_EVERYTHING, ()))

    def _draw(self) -> None:
        if self._console.is_terminal:
            self._console.print(Screen(self._drawn(self._console.height, self._notes)))

    def _drawn(self, height: int, notes: Sequence[Note]) -> Group:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        top: list[Line] = [[Piece(f"{self._target}{GAP}{now}", "dim")]]
        if self._message:
            top.append([Piece(self._message, ALARMING)])
        if self._board is not None:
            top += laid_out(self._board, notes, self._trends, self._console.width, height, above=len(top))
        return Group(*map(_text, top))


def _text(line: Line) -> Text:
    return Text.assemble(*line, no_wrap=True, overflow="ellipsis")
