"""Where bars come from: the rows of CSV files, read from disk one at a time."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path

from alluse.bars import Bar, read_rows
from alluse.errors import BarsError

__all__ = ["CsvFeed", "open_feeds"]


class CsvFeed:
    """One symbol's file: checked as a whole when it is opened, then read a row at a time.

    Safe for many threads at once: a read names its place in the file and moves nothing.
    """

    def __init__(self, path: Path) -> None:
        self._parser, bars = read_rows(path)
        self.days: Sequence[date] = tuple([bar.day for bar, _ in bars])
        self.places: Mapping[date, int] = {day: place for place, day in enumerate(self.days)}
        self._rows = [row for _, row in bars]
        self._file = os.open(path, os.O_RDONLY)

    def read(self, day: date) -> Bar:
        """The bar of a day; BarsError where the file has changed and the row is none any more."""
        row = self._rows[self.places[day]]
        return self._parser.parse(os.pread(self._file, row.length, row.offset).decode().rstrip("\r\n"), row.line)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def open_feeds(paths: Sequence[Path]) -> dict[str, CsvFeed]:
    """A feed for each file, by the symbol that its name begins with; the bundled prices for none."""
    if not paths:
        with as_file(files("alluse") / "data" / "goog_daily.csv") as bundled:
            return {_symbol(bundled): CsvFeed(bundled)}
    feeds: dict[str, CsvFeed] = {}
    with ExitStack() as opened:
        for path in paths:
            symbol = _symbol(path)
            if symbol in feeds:
                raise BarsError(f"{path} has the symbol {symbol} of a file before it; name it <symbol>_daily.csv")
            feeds[symbol] = CsvFeed(path)
            opened.callback(feeds[symbol].close)
        opened.pop_all()
    return feeds


def _symbol(path: Path) -> str:
    return path.stem.partition("_")[0].upper()
