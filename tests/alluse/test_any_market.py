"""The engine over made-up markets: no stage raises, and exactly one rule explains every decision."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from alluse.bars import Bar
from alluse.engine import Engine
from alluse.orders import Action
from alluse.rules import RULES, Verdict
from alluse.settings import Settings
from alluse.workflow import Outcome
from collected import collect

FIRST = date(1995, 1, 2)
DAYS = 100


@contextmanager
def _engine(bars: list[Bar], **changed) -> Iterator[Engine]:
    """An engine on these bars, one workflow a day."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made_up.csv"
        rows = [f"{bar.day},{bar.open!r},{bar.high!r},{bar.low!r},{bar.close!r},{bar.volume}" for bar in bars]
        path.write_text("\n".join(["date,open,high,low,close,volume", *rows, ""]))
        given = {"csv": (path,), "book": "none", "workflows_a_day": 1, "accounts": 3, "workers": 1, "bar_workers": 1}
        with Engine(Settings(**(given | changed)), registry=CollectorRegistry()) as engine:
            yield engine


def _made(closes: list[float], *, gap: int = 1, swing: float = 0.0) -> list[Bar]:
    return [
        Bar(FIRST + timedelta(days=gap * at), close, close * (1 + swing), close / (1 + swing), close, 1000)
        for at, close in enumerate(closes)
    ]


@st.composite
def markets(draw: st.DrawFn) -> list[Bar]:
    """A hundred bars at any price that a file may have: moves from none to a millionfold, with gaps of years."""
    moves = draw(st.lists(st.one_of(st.just(0.0), st.floats(-0.3, 0.3), st.floats(-14, 14)), min_size=1, max_size=8))
    swings = draw(st.lists(st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 100)), min_size=1, max_size=5))
    gaps = draw(st.lists(st.one_of(st.just(1), st.integers(1, 400)), min_size=1, max_size=4))
    price, day, bars = draw(st.floats(1e-6, 1e12)), FIRST, []
    for at in range(DAYS):
        before, swing = price, swings[at % len(swings)]
        price = min(max(price * math.exp(moves[at % len(moves)]), 1e-6), 1e12)
        high, low = min(max(before, price) * (1 + swing), 1e12), max(min(before, price) / (1 + swing), 1e-6)
        bars.append(Bar(day, before, high, low, price, draw(st.integers(0, 10)) if at < 2 else 10**9))
        day += timedelta(days=gaps[at % len(gaps)])
    return bars


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(markets())
def test_any_market_is_traded_or_the_reason_told(bars: list[Bar]):
    """Each workflow ends placed or held, by one decision of one rule; no order has a price or a strike of 0."""
    decisions, orders = [], []
    with _engine(bars) as engine:
        count, place = engine.rules.decided, engine.protocol.place_order

        def decided(facts, decision):
            decisions.append((facts, decision))
            count(facts, decision)

        def placed(sent):
            orders.extend((order.action, order.strike, order.price, order.quantity) for order in sent)
            place(sent)

        engine.rules.decided, engine.protocol.place_order = decided, placed
        outcomes = [engine.run_workflow().outcome for _ in range(DAYS)]
        counted = _counted(engine._registry)
    assert len(decisions) == sum(counted.values()) == DAYS
    for outcome, (facts, decision) in zip(outcomes, decisions, strict=True):
        assert [rule.name for rule in RULES].count(decision.rule) == 1
        # The human declines what risks too much, and is asked about what is large, whatever the rules say.
        assert outcome in ((Outcome.PLACED, Outcome.DECLINED) if decision.steps else (Outcome.HELD,))
        assert any(step.action is Action.OPEN for step in decision.steps) == decision.verdict.startswith("sell")
        assert all(map(math.isfinite, (facts.adjustment.atr, facts.condition.volatility, facts.week.move)))
    for action, strike, price, quantity in orders:
        assert 0 < strike < math.inf
        assert quantity
        assert price > 0 or action is Action.EXPIRE
        assert price < math.inf


def _counted(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for family in collect(registry):
        for sample in family.samples:
            if sample.name == "alluse_decisions_total":
                key = (sample.labels["rule"], sample.labels["action"])
                found[key] = found.get(key, 0.0) + sample.value
    return found


@pytest.mark.parametrize(
    ("bars", "explained"),
    [
        (_made([100.0] * DAYS), {("puts_in_the_calm", Verdict.NO_PREMIUM)}),
        (_made([0.02] * DAYS), {("puts_in_the_calm", Verdict.NO_PREMIUM)}),
        (_made([100.0] * DAYS, swing=2.0), {("puts_in_the_calm", Verdict.NO_STRIKE)}),
        (_made([100.0 + at % 2 for at in range(DAYS)], gap=366), {("puts_in_the_calm", Verdict.SELL_PUTS)}),
        (_made([0.02 + 0.0002 * (at % 2) for at in range(DAYS)]), {("puts_in_the_calm", Verdict.SELL_PUTS)}),
        (_made([7e8 + 7e6 * (at % 2) for at in range(DAYS)]), {("puts_in_the_calm", Verdict.OVER_LIMIT)}),
        (_made([100.0 * (1 - at % 2 / 4) for at in range(DAYS)]), {("stand_aside_in_stress", Verdict.STAND_ASIDE)}),
    ],
    ids=["constant", "constant penny", "wider than its price", "a bar a year", "penny", "dear", "stressed"],
)
def test_the_reason_is_a_figure(bars: list[Bar], explained: set[tuple[str, str]]):
    """What a market of one kind leads to, as /metrics tells it."""
    with _engine(bars) as engine:
        outcomes = [engine.run_workflow().outcome for _ in range(20)]
        counted = _counted(engine._registry)
    assert set(counted) == explained
    assert sum(counted.values()) == 20
    sells = {action.startswith("sell") for _, action in explained}
    assert outcomes == [Outcome.PLACED if sells == {True} else Outcome.HELD] * 20


def test_figure_says_which_class_regime_and_condition_decided():
    """Bounded nouns, each of them."""
    with _engine(_made([100.0] * DAYS)) as engine:
        engine.run_workflow()
        (labels,) = [
            sample.labels
            for family in collect(engine._registry)
            for sample in family.samples
            if sample.name == "alluse_decisions_total"
        ]
    assert labels == {
        "rule": "puts_in_the_calm",
        "week_class": "flat",
        "regime": "sideways",
        "condition": "calm",
        "action": "no_premium",
    }
