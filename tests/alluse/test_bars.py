"""Tests of alluse.bars."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from alluse.bars import Bar, read_bars, read_rows
from alluse.errors import BarsError

HEADER = "date,open,high,low,close,volume\n"
ROW = "2004-08-19,100.00,104.06,95.96,100.34,22351900\n"


def _read(tmp_path: Path, text: str | bytes) -> tuple[Bar, ...]:
    path = tmp_path / "prices.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_bars(path)


def test_bundled_prices_are_all_read():
    """The bundled file has 1,047 trading days, the first and the last as published."""
    bars = read_bars(Path(str(files("alluse") / "data" / "goog_daily.csv")))
    assert len(bars) == 1047
    assert bars[0] == Bar(date(2004, 8, 19), 100.00, 104.06, 95.96, 100.34, 22351900)
    assert bars[-1] == Bar(date(2008, 10, 14), 393.53, 394.50, 357.00, 362.71, 7784800)


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW,
        "\N{ZERO WIDTH NO-BREAK SPACE}" + HEADER + ROW,
        (HEADER + ROW).replace("\n", "\r\n") + "\r\n",
        HEADER.upper() + ROW.rstrip(),
        '"volume","name","date","low","high","open","close"\n'
        '22351900,Google,"2004-08-19",95.96,104.06,100.00, 100.34\n',
    ],
    ids=["plain", "byte order mark", "windows", "upper case", "other order"],
)
def test_spelling_of_the_file_does_not_matter(tmp_path: Path, text: str):
    """Order and case of the columns, quotes, more columns, line ends and a mark in front are taken as they come."""
    assert _read(tmp_path, text) == (Bar(date(2004, 8, 19), 100.00, 104.06, 95.96, 100.34, 22351900),)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", "line 1, column 1", "the file is empty"),
        (HEADER, "line 2, column 1", "there is no row under the header"),
        ("date,open,high,low,close\n", "line 1, column 1", "the header has no column 'volume'"),
        ("date,open,open,high,low,close,volume\n", "line 1, column 1", "the header has the column 'open' twice"),
        (HEADER + ROW + "2004-08-20,1,2\n", "line 3, column 15", "3 values where the header has 6"),
        (HEADER + ROW.rstrip() + ",7,8\n", "line 2, column 47", "8 values where the header has 6"),
        (HEADER + ROW.replace("2004-08-19", "19.8.2004"), "line 2, column 1", "date is '19.8.2004'"),
        (HEADER + ROW.replace("2004-08-19", "2004-02-30"), "line 2, column 1", "date is '2004-02-30'"),
        (
            HEADER + ROW.replace("100.00", "abc"),
            "line 2, column 12",
            "open is 'abc'; it must be a price from 0.000001",
        ),
        (HEADER + ROW.replace("104.06", "inf"), "line 2, column 19", "high is 'inf'"),
        (HEADER + ROW.replace("95.96", "-1"), "line 2, column 26", "low is '-1'"),
        (HEADER + ROW.replace("104.06", "nan"), "line 2, column 19", "high is 'nan'"),
        (HEADER + ROW.replace("104.06", "1e13"), "line 2, column 19", "high is '1e13'"),
        (HEADER + ROW.replace("95.96", "0"), "line 2, column 26", "low is '0'"),
        (HEADER + ROW.replace("95.96", "1e-7"), "line 2, column 26", "low is '1e-7'"),
        (HEADER + ROW.replace("100.34", ""), "line 2, column 32", "close is ''"),
        (HEADER + ROW.replace("22351900", "1.5"), "line 2, column 39", "volume is '1.5'; it must be a whole number"),
        (HEADER + ROW.replace("104.06", "90"), "line 2, column 19", "the high is under the low"),
        (HEADER + ROW.replace("100.00", "105"), "line 2, column 12", "the open is outside"),
        (HEADER + ROW.replace("100.34", "95"), "line 2, column 32", "the close is outside"),
        (HEADER + ROW + "\n" + ROW, "line 4, column 1", "the day does not come after 2004-08-19"),
        ((HEADER + ROW).encode() + b"2004-\xff", "line 3, column 6", "this is no UTF-8 text"),
    ],
)
def test_bad_row_is_refused_with_its_place(tmp_path: Path, text: str | bytes, place: str, reason: str):
    """The error names the file, the line and the column, and what is wrong there."""
    with pytest.raises(BarsError) as refused:
        _read(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'prices.csv'}, {place}: {reason}")


def test_unreadable_file_is_refused_by_name(tmp_path: Path):
    """A file that is not there is named, with what it should be."""
    with pytest.raises(BarsError, match=r"cannot read .*none\.csv: No such file"):
        read_bars(tmp_path / "none.csv")


def test_rows_are_found_again_by_their_place(tmp_path: Path):
    """Line, offset and length lead to the very row, whatever the line ends and blank lines before it."""
    path = tmp_path / "prices.csv"
    path.write_bytes((HEADER + "\n" + ROW + ROW.replace("08-19", "08-20")).replace("\n", "\r\n").encode())
    _, rows = read_rows(path)
    bar, place = rows[1]
    assert (bar.day, place.line) == (date(2004, 8, 20), 4)
    assert path.read_bytes()[place.offset :][: place.length].decode() == ROW.replace("08-19", "08-20").replace(
        "\n", "\r\n"
    )
