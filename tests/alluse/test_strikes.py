"""Tests of alluse.strikes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alluse.pricing import Right
from alluse.strikes import strike_beyond, tick


@pytest.mark.parametrize(
    ("price", "distance", "call", "put"),
    [
        (0.0233, 0.001, 0.0243, 0.0223),
        (0.3, 0.0, 0.3, 0.3),
        (4.1, 0.3, 4.4, 3.8),
        (40.0, 1.1, 41.25, 38.75),
        (99.0, 1.1, 100.5, 97.5),
        (100.0, 6.0, 106.0, 94.0),
        (291.25, 9.3, 302.5, 280.0),
        (700.0, 20.0, 720.0, 680.0),
        (123_456.0, 0.0, 124_000.0, 123_000.0),
    ],
)
def test_strikes_lie_as_close_as_the_price_asks_for(price: float, distance: float, call: float, put: float):
    """In steps of 1, 2.5 or 5 times a power of ten, at most a hundredth of the price; never nearer than asked."""
    assert strike_beyond(Right.CALL, price, distance) == call
    assert strike_beyond(Right.PUT, price, distance) == put


def test_put_has_no_strike_where_the_distance_takes_the_whole_price():
    """The answer is no price of anything, and so refused by whoever asked."""
    assert strike_beyond(Right.PUT, 0.5, 0.6) < 0
    assert strike_beyond(Right.PUT, 0.5, 0.4999) == 0


def test_least_price_of_an_option_is_a_hundredth_of_a_step():
    """A cent at a price of 100."""
    assert tick(100.0) == 0.01
    assert tick(0.3) == pytest.approx(0.000025)


@given(st.floats(1e-6, 1e12), st.floats(0, 3))
def test_strike_is_beyond_the_distance_by_less_than_two_steps(price: float, share: float):
    """At any price that a bar may have, on both sides of it."""
    distance = share * price
    for right, sign in ((Right.CALL, 1), (Right.PUT, -1)):
        strike = strike_beyond(right, price, distance)
        over = sign * (strike - (price + sign * distance))
        assert -1e-9 * price <= over <= 0.02 * price
