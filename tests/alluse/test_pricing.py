"""Tests of alluse.pricing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alluse.pricing import Right, premium

VALUES = (st.floats(10, 1000), st.floats(10, 1000), st.floats(0.05, 1.5), st.floats(0.01, 2), st.floats(0, 0.1))


def test_textbook_example():
    """At 42, strike 40, 20 % volatility, 10 % interest, half a year: 4.76 for the call, 0.81 for the put (Hull)."""
    assert premium(Right.CALL, 42, 40, 0.2, 0.5, 0.1) == pytest.approx(4.76, abs=0.005)
    assert premium(Right.PUT, 42, 40, 0.2, 0.5, 0.1) == pytest.approx(0.81, abs=0.005)


def test_at_its_end_an_option_is_worth_what_exercising_it_brings():
    """Without time or volatility nothing but the difference is left."""
    assert premium(Right.CALL, 42, 40, 0.2, 0) == 2
    assert premium(Right.PUT, 42, 40, 0.2, 0) == 0
    assert premium(Right.PUT, 38, 40, 0, 1) == 2


@given(*VALUES)
def test_parity(price: float, strike: float, volatility: float, years: float, interest: float):
    """A call less a put is worth the price less the strike, due later."""
    call, put = (premium(right, price, strike, volatility, years, interest) for right in (Right.CALL, Right.PUT))
    assert call - put == pytest.approx(price - strike * math.exp(-interest * years), abs=1e-6)
    assert call >= -1e-9
    assert put >= -1e-9
