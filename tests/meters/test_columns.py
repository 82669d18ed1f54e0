"""Series in two columns are a sequence of series."""

from manometer.meters.columns import Columns, columns

SERIES = [(("a",), 1), (("b",), 2), (("c",), 3)]


def test_columns_are_the_series():
    """Each by its place, parts, and all in order."""
    found = columns(SERIES)
    assert [*found] == SERIES
    assert len(found) == 3
    assert (found[1], found[-1], found[1:], found[:-1]) == (SERIES[1], SERIES[-1], SERIES[1:], SERIES[:-1])
    assert found
    assert not columns([])
    assert columns(found) is found


def test_columns_equal_the_same_series_in_whatever_form():
    """And nothing else."""
    assert columns(SERIES) == SERIES
    assert columns(SERIES) == Columns([("a",), ("b",), ("c",)], [1, 2, 3])
    assert columns(SERIES) != SERIES[:2]
    assert columns(SERIES) != {("a",): 1}
