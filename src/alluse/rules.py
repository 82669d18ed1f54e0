"""TradingProtocolRulesEngine: rules over class, condition, position and account, to orders.

The protocol sells options for the premium: puts under a market that holds, calls over one that
weakens. A lot is kept to the next workflow of its account, bought back there and sold anew as the
rules then have it. In a stressed market, and after a strong fall, nothing is sold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from alluse.atr import Adjustment
from alluse.bars import Bar
from alluse.conditions import Condition, MarketState
from alluse.orders import Action
from alluse.pricing import Right, premium
from alluse.weeks import Regime, Week, WeekClass

__all__ = ["LIFETIME", "RULES", "Account", "Facts", "Lot", "Rule", "Step", "TradingProtocolRulesEngine"]

LIFETIME = 5
"""Trading days from an option's sale to its end."""

_YEAR = 252
_SHARES = 100


class Lot(NamedTuple):
    """Options that an account has sold. contracts: how many; price: what a share's worth was sold for."""

    symbol: str
    right: Right
    strike: float
    contracts: int
    price: float
    day: date


@dataclass(slots=True)
class Account:
    """A client's account. limit: USD that it may have at stake; sure: whether the lot is the book's own."""

    name: str
    limit: float
    lot: Lot | None = None
    sure: bool = True


class Facts(NamedTuple):
    """What a workflow knows when it comes to the rules. held: trading days since the lot's sale."""

    symbol: str
    bar: Bar
    week: Week
    condition: Condition
    adjustment: Adjustment
    account: Account
    held: int


class Rule(NamedTuple):
    """What to sell when. right: None for nothing; distance and size: factors on the day's own."""

    name: str
    holds: Callable[[Facts], bool]
    right: Right | None
    distance: float = 1.0
    size: float = 1.0


class Step(NamedTuple):
    """An order that the rules want. quantity: contracts, sold ones below 0."""

    action: Action
    right: Right
    strike: float
    quantity: int
    price: float

    @property
    def stake(self) -> float:
        """USD that the order puts at stake; one that buys back puts none."""
        return max(-self.quantity, 0) * self.strike * _SHARES


RULES: tuple[Rule, ...] = (
    Rule("stand aside in stress", lambda facts: facts.condition.state is MarketState.STRESSED, None),
    Rule("stand aside after a fall", lambda facts: facts.week.kind is WeekClass.STRONG_DOWN, None),
    Rule("calls into strength", lambda facts: facts.week.kind is WeekClass.STRONG_UP, Right.CALL, 1.5, 0.5),
    Rule("puts under a rise", lambda facts: facts.week.regime is Regime.RISING, Right.PUT),
    Rule("calls over a fall", lambda facts: facts.week.regime is Regime.FALLING, Right.CALL, 1.0, 0.5),
    Rule("puts far under a trend", lambda facts: facts.condition.state is MarketState.TRENDING, Right.PUT, 1.5, 0.5),
    Rule("puts in the calm", lambda _facts: True, Right.PUT, 1.25),
)
"""In order: the first that holds decides."""


class TradingProtocolRulesEngine:
    """Applies the rules."""

    def __init__(self, rules: tuple[Rule, ...] = RULES) -> None:
        self._rules = rules

    def decide(self, facts: Facts) -> list[Step]:
        """The steps that a workflow is to take, none where there is nothing to do."""
        steps = []
        lot = facts.account.lot
        if lot is not None:
            worth = _worth(facts, lot.right, lot.strike, LIFETIME - facts.held) if facts.held >= 0 else lot.price
            steps.append(Step(Action.CLOSE, lot.right, lot.strike, lot.contracts, worth))
        rule = next(rule for rule in self._rules if rule.holds(facts))
        sale = self._sale(rule, facts)
        return steps if sale is None else [*steps, sale]

    def _sale(self, rule: Rule, facts: Facts) -> Step | None:
        if rule.right is None:
            return None
        away = rule.distance * facts.adjustment.distance
        strike = round(facts.bar.close + (away if rule.right is Right.CALL else -away))
        if strike <= 0:
            return None
        wanted = max(1, int(facts.adjustment.size * rule.size))
        contracts = min(wanted, int(facts.account.limit / (strike * _SHARES)))
        price = _worth(facts, rule.right, strike, LIFETIME)
        return Step(Action.OPEN, rule.right, strike, -contracts, price) if contracts else None


def _worth(facts: Facts, right: Right, strike: float, days: int) -> float:
    return premium(right, facts.bar.close, strike, facts.condition.volatility, max(days, 0) / _YEAR)
