"""What an option is worth, by the formula of Black and Scholes.

Fischer Black and Myron Scholes, "The Pricing of Options and Corporate Liabilities", Journal of
Political Economy 81 (1973).
"""

import math
from enum import StrEnum

__all__ = ["Right", "premium"]


class Right(StrEnum):
    """What the holder of an option may do."""

    CALL = "call"
    PUT = "put"


def premium(
    right: Right, price: float, strike: float, volatility: float, years: float, interest: float = 0.0
) -> float:
    """Worth of a European option in USD a share. volatility and interest: of a year, as shares of one."""
    due = strike * math.exp(-interest * years)
    spread = volatility * math.sqrt(years) if years > 0 else 0.0
    if spread <= 0:
        return max(price - due, 0.0) if right is Right.CALL else max(due - price, 0.0)
    first = math.log(price / due) / spread + spread / 2
    call = price * _normal(first) - due * _normal(first - spread)
    return call if right is Right.CALL else call - price + due


def _normal(deviations: float) -> float:
    """Share of a normal distribution that lies under that many deviations."""
    return math.erfc(-deviations / math.sqrt(2)) / 2
