"""Strikes: the prices that options are offered at, and the least that an option costs."""

import math
from functools import lru_cache

from alluse.pricing import Right

__all__ = ["strike_beyond", "tick"]

_STEPS = (5.0, 2.5, 1.0)  # times a power of ten
_SHARE = 0.01  # of the price, which a step between two strikes is at most
_TICK = 0.01  # of a step
_ROUNDING = 1e-9  # of a step: 3.8 is the strike 3.8, though 3.8 / 0.025 comes out as 151.99999999999997


def strike_beyond(right: Right, price: float, distance: float) -> float:
    """The first strike at least `distance` beyond the price: over it for a call, under it for a put.

    Strikes lie in steps of 1, 2.5 or 5 times a power of ten, as option markets have them: the step is the
    largest that is at most a hundredth of the price. The answer for a put is 0 or less where there is none.
    """
    up, down = _step(price)
    if right is Right.CALL:
        return math.ceil((price + distance) * down / up - _ROUNDING) * up / down
    return math.floor((price - distance) * down / up + _ROUNDING) * up / down


def tick(price: float) -> float:
    """The least that an option on a share of that price costs, in USD a share: 0.01 at a price of 100."""
    up, down = _step(price)
    return _TICK * up / down


@lru_cache(maxsize=1024)  # every workflow of a day asks for the same price
def _step(price: float) -> tuple[float, int]:
    """USD from one strike to the next, as a fraction: so that strikes are the numbers that they are written as."""
    power = 10.0 ** math.floor(math.log10(price * _SHARE))
    step = next(each * power for each in _STEPS if each * power <= price * _SHARE or each == _STEPS[-1])
    return (step, 1) if step >= 1 else (1.0, round(1 / step))
