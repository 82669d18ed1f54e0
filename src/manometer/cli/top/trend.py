"""How figures of the last intervals went, as one line of bars each."""

from collections import deque
from collections.abc import Sequence

from manometer.cli.top.figures import Board

__all__ = ["KEPT", "Trends", "sparkline"]

KEPT = 60
"""Intervals that are remembered."""

_BARS = "▁▂▃▄▅▆▇█"


class Trends:
    """The figure of each section's rows that its trend is of, over the last intervals."""

    def __init__(self) -> None:
        self._past: dict[tuple[str, str], deque[float | None]] = {}

    def add(self, board: Board) -> None:
        """Another interval. Objects that it does not have are forgotten."""
        past: dict[tuple[str, str], deque[float | None]] = {}
        for section in board.sections:
            for row, figure in zip(section.rows, section.trend.figures, strict=True):
                key = (section.title, row[0].text)
                past[key] = self._past.get(key) or deque(maxlen=KEPT)
                past[key].append(figure)
        self._past = past

    def of(self, title: str, name: str) -> Sequence[float | None]:
        """The figures of one object, oldest first."""
        return tuple(self._past.get((title, name), ()))


def sparkline(figures: Sequence[float | None], highest: float | None = None) -> str:
    """A bar for each figure, from 0 to the highest: by default that of the figures themselves."""
    known = [figure for figure in figures if figure is not None]
    top = highest if highest is not None else max(known, default=0.0)
    return "".join([" " if figure is None else _bar(figure / top if top > 0 else 0.0) for figure in figures])


def _bar(share: float) -> str:
    return _BARS[round(min(max(share, 0.0), 1.0) * (len(_BARS) - 1))]
