"""An Accept header is read as HTTP has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manometer.exposition.accept import media_ranges


@pytest.mark.parametrize(
    ("accept", "types"),
    [
        ("", []),
        ("text/plain", ["text/plain"]),
        ("a/a;q=0.1, b/b ; Q = 0.9 , c/c", ["c/c", "b/b", "a/a"]),
        ("a/a;q=0.5,b/b;q=0.5", ["a/a", "b/b"]),
        ("a/a;q=0,b/b;q=0.000,c/c;q=2,d/d;q=-1,e/e;q=nan,f/f;q=many,g/g;q=1", ["g/g"]),
        ("TEXT/Plain", ["text/plain"]),
        (",,;q=1,", [""]),
    ],
)
def test_the_best_comes_first_and_what_is_refused_does_not_come(accept, types):
    """Quality decides, then the header's order; a quality that is none refuses."""
    assert [each.type for each in media_ranges(accept)] == types


def test_parameters_are_read_with_and_without_quotes():
    """Their names are in lower case, their values as they stand."""
    (found,) = media_ranges('a/a; Proto="X.yX" ;version=1.0.0;flag;q=0.3')
    assert found.parameters == {"proto": "X.yX", "version": "1.0.0", "flag": ""}
    assert found.quality == 0.3


@given(st.text(st.characters(codec="latin-1")))
def test_nothing_that_a_client_sends_raises(accept):
    """Qualities fall."""
    qualities = [each.quality for each in media_ranges(accept)]
    assert qualities == sorted(qualities, reverse=True)
