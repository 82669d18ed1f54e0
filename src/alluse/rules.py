"""TradingProtocolRulesEngine: rules over class, condition, position and account, to orders.

The protocol sells options for the premium: puts under a market that holds, calls over one that
weakens. An account keeps its lot until its next workflow, which buys the lot back and sells another
as the rules then say. In a stressed market, and after a strong fall, the protocol sells nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from alluse.atr import Adjustment
from alluse.bars import Bar
from alluse.conditions import Condition, MarketState
from alluse.orders import Action
from alluse.pricing import Right, premium
from alluse.strikes import strike_beyond, tick
from alluse.weeks import Regime, Week, WeekClass

__all__ = [
    "LIFETIME",
    "RULES",
    "Account",
    "Decision",
    "Facts",
    "Lot",
    "Rule",
    "Step",
    "TradingProtocolRulesEngine",
    "Verdict",
]

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


class Verdict(StrEnum):
    """What a rule led to: a sale, or the reason why there is none."""

    SELL_PUTS = "sell_puts"
    SELL_CALLS = "sell_calls"
    STAND_ASIDE = "stand_aside"
    """The rule sells nothing."""
    NO_STRIKE = "no_strike"
    """The rule's distance is more than the price, so that no strike is left under it."""
    NO_PREMIUM = "no_premium"
    """The option is worth less than a tick: without volatility, nobody pays for it."""
    OVER_LIMIT = "over_limit"
    """One contract alone puts more at stake than the account may have there."""


class Decision(NamedTuple):
    """The rule that decided, what it led to, and the steps to take: none where there is nothing to do."""

    rule: str
    verdict: Verdict
    steps: list[Step]


RULES: tuple[Rule, ...] = (
    Rule("stand_aside_in_stress", lambda facts: facts.condition.state is MarketState.STRESSED, None),
    Rule("stand_aside_after_a_fall", lambda facts: facts.week.kind is WeekClass.STRONG_DOWN, None),
    Rule("calls_into_strength", lambda facts: facts.week.kind is WeekClass.STRONG_UP, Right.CALL, 1.5, 0.5),
    Rule("puts_under_a_rise", lambda facts: facts.week.regime is Regime.RISING, Right.PUT),
    Rule("calls_over_a_fall", lambda facts: facts.week.regime is Regime.FALLING, Right.CALL, 1.0, 0.5),
    Rule("puts_far_under_a_trend", lambda facts: facts.condition.state is MarketState.TRENDING, Right.PUT, 1.5, 0.5),
    Rule("puts_in_the_calm", lambda _facts: True, Right.PUT, 1.25),
)
"""In order: the first that holds decides."""


class TradingProtocolRulesEngine:
    """Applies the rules. `decided` hears of each decision, and of the facts that led to it."""

    def __init__(self, rules: tuple[Rule, ...] = RULES) -> None:
        self._rules = rules
        self.decided: Callable[[Facts, Decision], None] = _nothing

    def decide(self, facts: Facts) -> Decision:
        """The first rule that holds decides; an account's lot is closed in any case."""
        rule = next(rule for rule in self._rules if rule.holds(facts))
        steps = [] if facts.account.lot is None else [_closing(facts, facts.account.lot)]
        verdict, sale = _sale(rule, facts)
        if sale is not None:
            steps.append(sale)
        decision = Decision(rule.name, verdict, steps)
        self.decided(facts, decision)
        return decision


def _closing(facts: Facts, lot: Lot) -> Step:
    """What becomes of the account's lot: it is bought back within its life, and settled at its end."""
    if facts.held >= LIFETIME:
        return Step(Action.EXPIRE, lot.right, lot.strike, lot.contracts, _worth(facts, lot.right, lot.strike, 0))
    if facts.held < 0:  # the replay has begun again since
        return Step(Action.CLOSE, lot.right, lot.strike, lot.contracts, lot.price)
    worth = _worth(facts, lot.right, lot.strike, LIFETIME - facts.held)
    return Step(Action.CLOSE, lot.right, lot.strike, lot.contracts, max(worth, tick(facts.bar.close)))


def _sale(rule: Rule, facts: Facts) -> tuple[Verdict, Step | None]:
    if rule.right is None:
        return Verdict.STAND_ASIDE, None
    close = facts.bar.close
    strike = strike_beyond(rule.right, close, rule.distance * facts.adjustment.distance)
    if strike <= 0:
        return Verdict.NO_STRIKE, None
    price = _worth(facts, rule.right, strike, LIFETIME)
    if price < tick(close):
        return Verdict.NO_PREMIUM, None
    wanted = max(1, int(facts.adjustment.size * rule.size))
    contracts = min(wanted, int(facts.account.limit / (strike * _SHARES)))
    if not contracts:
        return Verdict.OVER_LIMIT, None
    verdict = Verdict.SELL_CALLS if rule.right is Right.CALL else Verdict.SELL_PUTS
    return verdict, Step(Action.OPEN, rule.right, strike, -contracts, price)


def _worth(facts: Facts, right: Right, strike: float, days: int) -> float:
    return premium(right, facts.bar.close, strike, facts.condition.volatility, days / _YEAR)


def _nothing(_facts: Facts, _decision: Decision) -> None:
    """Nobody counts."""
