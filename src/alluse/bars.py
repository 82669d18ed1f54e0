"""Daily bars: what a trading day was, and how a CSV file tells it."""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from alluse.errors import BarsError

__all__ = ["Bar", "BarParser", "Row", "read_bars", "read_rows"]


_LEAST, _MOST = 1e-6, 1e12  # USD: within these, every figure that the engine computes is finite
_PRICE = "a price from 0.000001 to 1,000,000,000,000"


class Bar(NamedTuple):
    """One trading day. Prices in USD, volume in shares."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: int


class Row(NamedTuple):
    """Where a bar stands in its file. line: from 1; offset and length: bytes."""

    line: int
    offset: int
    length: int


class BarParser:
    """Reads the rows of one file, whose header says which column is what.

    Raises BarsError naming the file, the line and the column, counted in characters from 1.
    """

    def __init__(self, header: str, file: str) -> None:
        self._file = file
        names = [name.strip().strip('"').lower() for name in header.split(",")]
        for name in _FIELDS:
            if names.count(name) != 1:
                found = f"the column {name!r} twice" if name in names else f"no column {name!r}"
                raise BarsError(f"{file}, line 1, column 1: the header has {found}; it must read {','.join(_FIELDS)}")
        self._places = {name: names.index(name) for name in _FIELDS}
        self._width = len(names)

    def parse(self, row: str, line: int) -> Bar:
        """The bar of one row. line: its number in the file, for the error."""
        cells = row.split(",")
        if len(cells) != self._width:
            at = len(row) + 1 if len(cells) < self._width else len(",".join(cells[: self._width])) + 1
            raise self._error(line, at, f"{len(cells)} values where the header has {self._width}")
        values = {name: self._value(name, cells, line) for name in _FIELDS}
        bar = Bar(values.pop("date"), **values)
        for name, wrong, reason in _INCONSISTENCIES:
            if wrong(bar):
                raise self._error(line, self._column(name, cells), f"{reason} ({name} is {getattr(bar, name):g})")
        return bar

    def out_of_order(self, row: str, line: int, before: date) -> BarsError:
        """The error for a row that does not come after the one before it."""
        cells = row.split(",")
        return self._error(
            line,
            self._column("date", cells),
            f"the day does not come after {before}, the row before; sort the rows by date",
        )

    def _value(self, name: str, cells: list[str], line: int) -> Any:
        text = cells[self._places[name]].strip().strip('"')
        read, wanted = _FIELDS[name]
        try:
            return read(text)
        except ValueError:
            raise self._error(line, self._column(name, cells), f"{name} is {text!r}; it must be {wanted}") from None

    def _column(self, name: str, cells: list[str]) -> int:
        place = self._places[name]
        return sum(len(cell) + 1 for cell in cells[:place]) + 1

    def _error(self, line: int, column: int, reason: str) -> BarsError:
        return BarsError(f"{self._file}, line {line}, column {column}: {reason}")


def read_bars(path: Path) -> tuple[Bar, ...]:
    """All bars of a file; BarsError for the first row that is none."""
    return tuple([bar for bar, _ in read_rows(path)[1]])


def read_rows(path: Path) -> tuple[BarParser, list[tuple[Bar, Row]]]:
    """The parser of a file, and each of its bars with where it stands."""
    text = _read(path)
    rows = list(io.StringIO(text, newline=""))
    if not rows:
        raise BarsError(f"{path}, line 1, column 1: the file is empty; it must begin with {','.join(_FIELDS)}")
    parser = BarParser(rows[0].removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").rstrip("\r\n"), str(path))
    found = list(_bars(parser, rows))
    if not found:
        raise BarsError(f"{path}, line 2, column 1: there is no row under the header")
    return parser, found


def _bars(parser: BarParser, rows: list[str]) -> Iterator[tuple[Bar, Row]]:
    offset = len(rows[0].encode())
    before: date | None = None
    for line, row in enumerate(rows[1:], start=2):
        text, length = row.rstrip("\r\n"), len(row.encode())
        if text.strip():
            bar = parser.parse(text, line)
            if before is not None and bar.day <= before:
                raise parser.out_of_order(text, line, before)
            before = bar.day
            yield bar, Row(line, offset, length)
        offset += length


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise BarsError(f"cannot read {path}: {error.strerror}; give a CSV file with {','.join(_FIELDS)}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        raise BarsError(f"{path}, line {line}, column {column}: this is no UTF-8 text") from None


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError(text)
    return date.fromisoformat(text)


def _price(text: str) -> float:
    value = float(text)
    if not _LEAST <= value <= _MOST:  # which NaN is not either
        raise ValueError(text)
    return value


def _volume(text: str) -> int:
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise ValueError(text)
    return int(text)


_FIELDS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "date": (_day, "a day such as 2004-08-19"),
    "open": (_price, _PRICE),
    "high": (_price, _PRICE),
    "low": (_price, _PRICE),
    "close": (_price, _PRICE),
    "volume": (_volume, "a whole number of shares"),
}

_INCONSISTENCIES: tuple[tuple[str, Callable[[Bar], bool], str], ...] = (
    ("high", lambda bar: bar.high < bar.low, "the high is under the low"),
    ("open", lambda bar: not bar.low <= bar.open <= bar.high, "the open is outside the day's low and high"),
    ("close", lambda bar: not bar.low <= bar.close <= bar.high, "the close is outside the day's low and high"),
)
