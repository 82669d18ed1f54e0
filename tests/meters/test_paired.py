"""Two lists side by side are a sequence of pairs like any other."""

import pytest

from manometer.meters.paired import Paired

PAIRS = [(("a",), 1), (("b",), 2), (("c",), 3)]


def paired():
    """The pairs, from two lists."""
    return Paired([values for values, _ in PAIRS], [reading for _, reading in PAIRS])


def test_it_is_what_a_list_of_the_pairs_is():
    """Walked, measured, indexed, cut and compared."""
    pairs = paired()
    assert ([*pairs], len(pairs), pairs[1], pairs[-1]) == (PAIRS, 3, PAIRS[1], PAIRS[2])
    for part in (slice(1), slice(1, None), slice(0, 3, 2), slice(5, 9)):
        assert pairs[part] == PAIRS[part]
    assert pairs == PAIRS == paired()
    assert pairs != PAIRS[:2]
    assert pairs != 3
    assert PAIRS[0] in pairs
    with pytest.raises(IndexError):
        pairs[3]


def test_it_can_be_walked_any_number_of_times():
    """Text, protobuf and files are made of the same collection."""
    pairs = paired()
    assert [*pairs] == [*pairs] == PAIRS
    assert Paired([], []) == []
