"""Tests of alluse.rules."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alluse.atr import Adjustment
from alluse.bars import Bar
from alluse.conditions import Condition, MarketState
from alluse.orders import Action
from alluse.pricing import Right
from alluse.rules import LIFETIME, RULES, Account, Facts, Lot, TradingProtocolRulesEngine, Verdict
from alluse.strikes import tick
from alluse.weeks import Regime, Week, WeekClass

DAY = date(2008, 1, 2)


def _facts(
    kind: WeekClass = WeekClass.FLAT,
    regime: Regime = Regime.SIDEWAYS,
    state: MarketState = MarketState.CALM,
    *,
    lot: Lot | None = None,
    held: int = 0,
    limit: float = 1e9,
    close: float = 100.0,
    size: int = 20,
    volatility: float = 0.3,
    distance: float = 6.0,
) -> Facts:
    return Facts(
        "X",
        Bar(DAY, close, close, close, close, 1),
        Week(kind, 0.0, regime),
        Condition(state, 0.0, volatility, 0.0),
        Adjustment(4.0, distance, size),
        Account("X-0000", limit, lot),
        held,
    )


@pytest.mark.parametrize(
    ("facts", "sold"),
    [
        (_facts(state=MarketState.STRESSED), None),
        (_facts(WeekClass.STRONG_DOWN), None),
        (_facts(WeekClass.STRONG_UP, Regime.RISING), (Right.CALL, 109, -10)),
        (_facts(WeekClass.UP, Regime.RISING), (Right.PUT, 94, -20)),
        (_facts(WeekClass.DOWN, Regime.FALLING), (Right.CALL, 106, -10)),
        (_facts(state=MarketState.TRENDING), (Right.PUT, 91, -10)),
        (_facts(), (Right.PUT, 92, -20)),
    ],
)
def test_first_rule_that_holds_decides(facts: Facts, sold: tuple[Right, float, int] | None):
    """Each rule of the protocol, with the strike and size it makes of a distance of 6 and a size of 20."""
    steps = TradingProtocolRulesEngine().decide(facts).steps
    assert [(step.right, step.strike, step.quantity) for step in steps] == ([] if sold is None else [sold])


@pytest.mark.parametrize(
    ("facts", "rule", "verdict"),
    [
        (_facts(state=MarketState.STRESSED), "stand_aside_in_stress", Verdict.STAND_ASIDE),
        (_facts(WeekClass.STRONG_DOWN), "stand_aside_after_a_fall", Verdict.STAND_ASIDE),
        (_facts(WeekClass.STRONG_UP), "calls_into_strength", Verdict.SELL_CALLS),
        (_facts(), "puts_in_the_calm", Verdict.SELL_PUTS),
        (_facts(distance=100.0), "puts_in_the_calm", Verdict.NO_STRIKE),
        (_facts(volatility=0.0), "puts_in_the_calm", Verdict.NO_PREMIUM),
        (_facts(volatility=0.0, distance=0.0), "puts_in_the_calm", Verdict.NO_PREMIUM),
        (_facts(limit=9_199.0), "puts_in_the_calm", Verdict.OVER_LIMIT),
    ],
)
def test_decision_names_its_rule_and_what_it_led_to(facts: Facts, rule: str, verdict: Verdict):
    """A sale, or the reason why there is none; whoever counts hears the same."""
    engine, heard = TradingProtocolRulesEngine(), []
    engine.decided = lambda *told: heard.append(told)
    decision = engine.decide(facts)
    assert (decision.rule, decision.verdict) == (rule, verdict)
    assert bool(decision.steps) == (verdict in (Verdict.SELL_CALLS, Verdict.SELL_PUTS))
    assert heard == [(facts, decision)]


@pytest.mark.parametrize("close", [0.0004, 0.02, 0.3, 1.0, 4.0, 99.0, 700_000.0])
def test_cheap_and_dear_shares_are_traded_alike(close: float):
    """A share at a few cents has strikes too: they lie as close together as its price asks for."""
    decision = TradingProtocolRulesEngine().decide(_facts(close=close, distance=0.06 * close))
    (sale,) = decision.steps
    assert decision.verdict is Verdict.SELL_PUTS
    assert 0.91 * close < sale.strike <= 0.925 * close


def test_lot_is_bought_back_before_the_next_is_sold():
    """The whole lot, at what it is worth with the days that are left: three of five."""
    lot = Lot("X", Right.PUT, 98.0, 7, 1.0, DAY)
    back, sale = TradingProtocolRulesEngine().decide(_facts(lot=lot, held=2)).steps
    assert (back.action, back.strike, back.quantity) == (Action.CLOSE, 98.0, 7)
    assert sale.action is Action.OPEN
    day_later, _ = TradingProtocolRulesEngine().decide(_facts(lot=lot, held=3)).steps
    assert back.price > day_later.price > 0


def test_lot_is_bought_back_even_where_nothing_is_sold():
    """Standing aside means holding nothing."""
    lot = Lot("X", Right.PUT, 98.0, 7, 1.0, DAY)
    steps = TradingProtocolRulesEngine().decide(_facts(state=MarketState.STRESSED, lot=lot, held=2)).steps
    assert [step.action for step in steps] == [Action.CLOSE]


def test_lot_that_is_worth_nothing_is_bought_back_for_a_tick():
    """Nobody gives it away."""
    lot = Lot("X", Right.PUT, 50.0, 7, 1.0, DAY)
    (back,) = TradingProtocolRulesEngine().decide(_facts(lot=lot, held=2, volatility=0.0)).steps
    assert (back.action, back.price) == (Action.CLOSE, 0.01)


@pytest.mark.parametrize(("strike", "worth"), [(98.0, 0.0), (103.0, 3.0)])
def test_lot_at_the_end_of_its_life_is_settled_and_not_bought(strike: float, worth: float):
    """For what the right to sell is worth on that day, which may be nothing: no order goes to the market."""
    lot = Lot("X", Right.PUT, strike, 7, 1.0, DAY)
    (end,) = TradingProtocolRulesEngine().decide(_facts(state=MarketState.STRESSED, lot=lot, held=LIFETIME)).steps
    assert (end.action, end.quantity, end.price) == (Action.EXPIRE, 7, worth)


def test_lot_of_the_future_is_taken_back_at_its_price():
    """Where the replay has begun again, there is no worth to reckon."""
    lot = Lot("X", Right.PUT, 98.0, 7, 1.25, DAY)
    assert TradingProtocolRulesEngine().decide(_facts(lot=lot, held=-5)).steps[0].price == 1.25


@given(
    st.sampled_from(WeekClass),
    st.sampled_from(Regime),
    st.sampled_from(MarketState),
    st.floats(1e-6, 1e12),
    st.floats(0, 1e7),
    st.integers(1, 100),
    st.floats(0, 10),
    st.floats(0, 1),
)
def test_every_decision_is_sound_and_has_one_rule(kind, regime, state, close, limit, size, volatility, distance):
    """Whatever the market: a stake within the limit, a strike on the safe side of the price, a premium."""
    facts = _facts(
        kind, regime, state, close=close, limit=limit, size=size, volatility=volatility, distance=distance * close
    )
    decision = TradingProtocolRulesEngine().decide(facts)
    assert [rule.name for rule in RULES].count(decision.rule) == 1
    assert bool(decision.steps) == decision.verdict.startswith("sell")
    for step in decision.steps:
        assert 0 < step.stake <= limit
        sign = 1 if step.right is Right.CALL else -1
        assert sign * (step.strike - close) >= -1e-9 * close
        assert step.price >= tick(close) > 0
