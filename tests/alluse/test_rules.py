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
from alluse.rules import Account, Facts, Lot, TradingProtocolRulesEngine
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
) -> Facts:
    return Facts(
        "X",
        Bar(DAY, close, close, close, close, 1),
        Week(kind, 0.0, regime),
        Condition(state, 0.0, 0.3, 0.0),
        Adjustment(4.0, 6.0, size),
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
    steps = TradingProtocolRulesEngine().decide(facts)
    assert [(step.right, step.strike, step.quantity) for step in steps] == ([] if sold is None else [sold])


def test_lot_is_bought_back_before_the_next_is_sold():
    """The whole lot, at what it is worth with the days that are left: three of five."""
    lot = Lot("X", Right.PUT, 98.0, 7, 1.0, DAY)
    back, sale = TradingProtocolRulesEngine().decide(_facts(lot=lot, held=2))
    assert (back.action, back.strike, back.quantity) == (Action.CLOSE, 98.0, 7)
    assert sale.action is Action.OPEN
    day_later, _ = TradingProtocolRulesEngine().decide(_facts(lot=lot, held=3))
    assert back.price > day_later.price > 0


def test_lot_is_bought_back_even_where_nothing_is_sold():
    """Standing aside means holding nothing."""
    lot = Lot("X", Right.PUT, 98.0, 7, 1.0, DAY)
    steps = TradingProtocolRulesEngine().decide(_facts(state=MarketState.STRESSED, lot=lot, held=9))
    assert [(step.action, step.price) for step in steps] == [(Action.CLOSE, 0.0)]


def test_lot_of_the_future_is_taken_back_at_its_price():
    """Where the replay has begun again, there is no worth to reckon."""
    lot = Lot("X", Right.PUT, 98.0, 7, 1.25, DAY)
    assert TradingProtocolRulesEngine().decide(_facts(lot=lot, held=-5))[0].price == 1.25


@given(
    st.sampled_from(WeekClass),
    st.sampled_from(Regime),
    st.sampled_from(MarketState),
    st.floats(1, 2000),
    st.floats(0, 1e7),
    st.integers(1, 100),
)
def test_no_sale_goes_over_the_accounts_limit(kind, regime, state, close, limit, size):
    """Whatever the market, the stake is within the limit and the strike on the safe side of the price."""
    for step in TradingProtocolRulesEngine().decide(_facts(kind, regime, state, close=close, limit=limit, size=size)):
        assert 0 < step.stake <= limit
        assert step.strike >= close if step.right is Right.CALL else step.strike <= close
        assert step.price >= 0
