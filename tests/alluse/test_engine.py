"""Tests of alluse.engine, and of what is measured of it."""

import threading
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from alluse.book import Book
from alluse.engine import Engine
from alluse.errors import AllUseError, BarsError, BrokerError, MarketError
from alluse.faults import FAULTS, Fault
from alluse.instrumentation import instrument
from alluse.settings import Settings
from alluse.workflow import Outcome
from collected import collect
from manometer.health import Checks
from waiting import until

DAY = date(2005, 6, 1)


@pytest.fixture
def make(figures) -> Iterator[Callable[..., Engine]]:
    """Makes engines on the registry of `figures`, and closes them."""
    made: list[Engine] = []

    def engine(*, instrumented: bool = True, **settings) -> Engine:
        settings = {"approval_delay": 0.0, "connections": 3, "connection_patience": 0.05, "accounts": 8} | settings
        made.append(Engine(Settings(**settings)))
        if instrumented:
            instrument(made[-1], figures.registry)
        return made[-1]

    yield engine
    for each in made:
        each.close()


def test_workflow_places_orders_in_the_book(make):
    """The first sells a lot for the account; the account's next buys it back and sells another."""
    engine = make(accounts=1, workers=1)
    assert engine.run_workflow("GOOG", DAY) == ("GOOG", DAY, Outcome.PLACED, 1)
    assert engine.run_workflow("GOOG", date(2005, 6, 2)).orders == 2
    assert (engine.book.count(), engine.book.audit()) == (3, [])


def test_order_carries_what_the_parts_computed(make):
    """In a rising regime: a put at 1.5 average ranges, for 50,000 USD a range, reckoned here anew from the bars."""
    engine = make(accounts=1)
    day = date(2005, 6, 28)
    engine.run_workflow("GOOG", day)
    lot = engine.book.lots()["GOOG-0000"]
    bars = engine.market.window("GOOG", day, 140)
    ranges = [max(bar.high, before.close) - min(bar.low, before.close) for before, bar in pairwise(bars)]
    atr = sum(ranges[:14]) / 14
    for each in ranges[14:]:
        atr += (each - atr) / 14
    assert (lot.right, lot.day) == ("put", day)
    assert lot.strike == 2.5 * ((bars[-1].close - 1.5 * atr) // 2.5)
    assert lot.contracts == int(50_000 / (atr * 100))
    assert 0 < lot.price < bars[-1].close - lot.strike


def test_replay_moves_on_by_days(make):
    """As many workflows as a day has, then the next day."""
    engine = make(book="none", workflows_a_day=2)
    days = [engine.run_workflow().day for _ in range(6)]
    assert days[0] == days[1] < days[2] == days[3] < days[4]


def test_whole_replay_runs_without_a_failure(make):
    """Every day of the prices has its workflow, and the replay begins again."""
    engine = make(book="none", workflows_a_day=1, instrumented=False)
    outcomes = {engine.run_workflow().outcome for _ in range(1100)}
    assert outcomes == {Outcome.PLACED, Outcome.HELD}


def test_unknown_symbol_and_day_are_refused(make, figures):
    """They are the caller's mistake, and no workflow."""
    engine = make(book="none")
    with pytest.raises(MarketError, match="there is no symbol 'IBM'"):
        engine.run_workflow("IBM", DAY)
    with pytest.raises(MarketError, match="GOOG has no bar of 2005-06-04"):
        engine.run_workflow("GOOG", date(2005, 6, 4))
    assert sum(figures.all("alluse_workflows_total", "outcome").values()) == 0


def test_too_few_prices_are_refused(tmp_path: Path):
    """The engine says how many days it needs; a bad row is refused as the file is opened."""
    path = tmp_path / "x.csv"
    path.write_text("date,open,high,low,close,volume\n2008-01-02,1,2,1,2,3\n")
    with pytest.raises(MarketError, match="X has 1 trading days; the engine needs over"):
        Engine(Settings(csv=(path,)))
    path.write_text("date,open,high,low,close,volume\n2008-01-02,1,2,1,2,none\n")
    with pytest.raises(BarsError, match="line 2, column 20"):
        Engine(Settings(csv=(path,)))


def test_failing_broker_is_counted_survived_and_recovered_from(make, figures):
    """Failures and then refusals, whole books throughout, and orders again when the fault ends."""
    engine = make(breaker_failures=4)
    engine.gateway.retrying.sleep = lambda _: None
    engine.run_workflow("GOOG", DAY)
    engine.faults.start(Fault("failing-broker"))
    outcomes = [engine.run_workflow("GOOG", DAY).outcome for _ in range(6)]
    assert outcomes == [Outcome.FAILED] + [Outcome.REJECTED] * 5
    assert figures("breaker_state", breaker_state="open") == 1
    assert figures("alluse_orders_total", outcome="failed") == 1
    assert figures("engine_stage_errors_total", engine_stage_name="place_order", error_type="BrokerError") == 1
    engine.faults.stop("failing-broker")
    engine.gateway.breaker.reset_timeout = 0
    assert [engine.run_workflow("GOOG", DAY).outcome for _ in range(20)] == [Outcome.PLACED] * 20
    assert figures("breaker_state", breaker_state="closed") == 1
    assert engine.book.audit() == []
    assert {each.sure for each in _accounts(engine)} == {True}


def _accounts(engine: Engine) -> list:
    queue = engine._replay._accounts["GOOG"]
    return [queue.get_nowait() for _ in range(queue.qsize())]


def test_order_with_an_unclear_ending_is_looked_up(make):
    """An error after the commit leaves the account unsure; the book says what it has."""
    engine = make(accounts=1, breaker_failures=50)
    engine.gateway.retrying.sleep = lambda _: None
    write, batches = engine.book.write, []

    def unclear(batch, *rest):
        write(batch, *rest)
        batches.append(batch)
        raise BrokerError("the answer was lost")

    engine.book.write = unclear
    assert engine.run_workflow("GOOG", DAY).outcome is Outcome.FAILED
    assert len(set(batches)) == 1
    engine.book.write = write
    assert engine.run_workflow("GOOG", DAY).orders == 2
    assert (engine.book.count(), engine.book.audit()) == (3, [])


def test_exhausted_pool_times_orders_out(make, figures):
    """The pool is saturated, the order fails in time, and all is well when the fault ends."""
    engine = make()
    engine.faults.start(Fault("exhausted-pool"))
    until(lambda: figures("pool_resources", pool_name="broker", pool_resource_state="used") == 3)
    assert engine.run_workflow("GOOG", DAY).outcome is Outcome.FAILED
    assert figures("pool_timeouts_total", pool_name="broker") >= 1
    engine.faults.stop("exhausted-pool")
    until(lambda: figures("pool_resources", pool_name="broker", pool_resource_state="used") == 0)
    assert engine.run_workflow("GOOG", DAY).outcome is Outcome.PLACED


def test_cold_cache_lowers_the_hit_ratio(make, figures):
    """Each workflow's read of the day misses while it is on."""
    engine = make(book="none")
    engine.run_workflow("GOOG", DAY)
    before = figures("cache_requests_total", cache_name="market_data", cache_request_type="miss")
    engine.faults.start(Fault("cold-cache"))
    for _ in range(5):
        engine.run_workflow("GOOG", DAY)
    engine.faults.stop_all()
    engine.run_workflow("GOOG", DAY)
    assert figures("cache_requests_total", cache_name="market_data", cache_request_type="miss") == before + 5


def test_stuck_human_declines_what_needs_an_answer(make, figures):
    """The hundredth decision is shown to the human, who does not answer in time."""
    engine = make(book="none", approval_patience=0.02)
    engine.faults.start(Fault("stuck-human"))
    outcomes = [engine.run_workflow("GOOG", DAY).outcome for _ in range(100)]
    assert outcomes == [Outcome.PLACED] * 99 + [Outcome.DECLINED]
    assert figures("alluse_approvals_total", outcome="timed_out") == 1
    engine.faults.stop_all()
    assert {engine.run_workflow("GOOG", DAY).outcome for _ in range(100)} == {Outcome.PLACED}


def test_slow_human_has_an_inbox_that_fills_and_then_refuses(make, figures):
    """A question that finds it full is declined at once; when the fault ends, the inbox is empty soon."""
    engine = make(book="none", approval_patience=0.02, approvals_waiting=2)
    engine.trust.score = 0.0  # so that the human is asked about everything
    engine.faults.start(Fault("slow-human"))

    def refused() -> float:
        assert engine.run_workflow("GOOG", DAY).outcome is Outcome.DECLINED
        return figures("alluse_approvals_total", outcome="refused")

    until(refused)
    assert figures("queue_items", queue_name="approvals") == figures("queue_item_limit", queue_name="approvals") == 2
    engine.faults.stop_all()
    until(lambda: figures("queue_items", queue_name="approvals") == 0)
    until(lambda: engine.run_workflow("GOOG", DAY).outcome is Outcome.PLACED)


def test_stalled_loop_lags(make, figures):
    """The loop's timers come late while it is blocked."""
    engine = make(book="none")
    engine.faults.start(Fault("stalled-loop"))
    late = "asyncio_loop_lag_seconds_bucket"

    def lagged() -> bool:
        return figures(late, le="0.1") is not None and figures(late, le="+Inf") > figures(late, le="0.1")

    until(lagged)


def test_everything_is_measured(make, figures):
    """A hundred workflows leave a figure in every family that the parts have."""
    engine = make(connections=15, connection_patience=10.0)
    engine.start(rate=500)

    def done() -> float:
        """The least of what a workflow counts; a workflow that is shed counts none of these."""
        return min(
            figures("engine_stage_duration_seconds_count", engine_stage_name="workflow", engine_stage_outcome="ok")
            or 0,
            figures("retry_attempts_total", retry_attempt_outcome="ok") or 0,
            figures("breaker_calls_total", breaker_call_outcome="ok") or 0,
        )

    until(lambda: done() >= 100)
    assert set(figures.all("cache_entries", "cache_name")) == {
        *("week_moves", "week_classes", "market_conditions", "atr_adjustments", "market_data"),
    }
    assert set(figures.all("pool_resource_limit", "pool_name")) == {"broker", "orders", "market_data", "workflows"}
    assert set(figures.all("queue_items", "queue_name")) == {"approvals"}
    stages = {
        "classify_week",
        "analyze_market",
        "adjust_atr",
        "apply_rules",
        "seek_approval",
        "place_order",
        "workflow",
    }
    assert set(figures.all("engine_stage_active", "engine_stage_name")) == stages
    assert figures("cache_prefetches_total", cache_prefetch_outcome="used") is not None
    assert set(figures.all("alluse_fault_rate_ratio", "fault")) == set(FAULTS)
    assert 0 < figures("alluse_trust_ratio") < 1


def test_closing_drains_the_load_and_takes_everything_off(make, figures):
    """What was begun is in the book; nothing of the engine is on the registry; a second close does nothing."""
    engine = make(book="temporary")
    engine.start(rate=500)
    until(lambda: figures("alluse_orders_total", outcome="placed") >= 50)
    threads = {thread.name for thread in threading.enumerate() if thread.name.startswith(("workflow", "market-data"))}
    assert threads
    engine.close()
    engine.close()
    left = {name for name in _names(figures) if not name.startswith("manometer_")}
    assert {name for name in left if name.startswith("alluse_")} == set()
    assert figures("pool_resources", pool_name="broker", pool_resource_state="used") is None
    assert not [each for each in threading.enumerate() if each.name.startswith(("workflow", "market-data", "alluse"))]


def _names(figures) -> set[str]:
    return {family.name for family in figures.registry.collect()}


def test_engine_without_instrumentation_is_plain_objects(make, figures):
    """Nothing is registered, and no part is wrapped."""
    engine = make(book="none", instrumented=False)
    engine.run_workflow("GOOG", DAY)
    assert _names(figures) == set()
    assert engine.protocol.place_order == engine.gateway.place
    assert engine.protocol.classify_week is engine.classifier.classify
    assert type(engine.market.cache).__mro__[1].__name__ == "TTLCache"


def test_second_engine_takes_the_place_of_the_first(make, figures):
    """After a close the same registry serves another."""
    make(book="none").close()
    make(book="none").run_workflow("GOOG", DAY)
    assert figures("alluse_workflows_total", outcome="placed") == 1


def test_lots_are_found_again_after_a_restart(make, tmp_path: Path):
    """A book that is kept has the positions that the next engine begins with."""
    url = f"sqlite:///{tmp_path / 'book.sqlite'}"
    first = make(book=url, accounts=1, instrumented=False)
    first.run_workflow("GOOG", DAY)
    first.close()
    second = make(book=url, accounts=1, instrumented=False)
    assert second.run_workflow("GOOG", DAY).orders == 2
    second.close()
    book = Book(url)
    assert (book.count(), book.audit()) == (3, [])
    book.close()


def test_engine_runs_one_load_at_a_time(make):
    """A second start is refused."""
    engine = make(book="none").start(1)
    with pytest.raises(AllUseError, match="the engine runs already"):
        engine.start(1)


@pytest.mark.parametrize("step", ["instrument_breaker", "instrument_loop", "watch", "_stages"])
def test_instrumentation_that_fails_leaves_nothing_behind(make, figures, monkeypatch, step):
    """Whichever step it is that raises."""

    def refuse(*_, **__):
        raise RuntimeError(step)

    with monkeypatch.context() as patch:
        patch.setattr(f"alluse.instrumentation.{step}", refuse)
        with pytest.raises(RuntimeError, match=step):
            make()
    shown = [family.name for family in collect(figures.registry) if family.samples]
    assert [name for name in shown if not name.startswith("manometer_")] == []
    assert Checks.on(figures.registry).all() == []


def test_second_engine_on_a_registry_leaves_the_first_alone(make, figures):
    """It is refused before anything of the first is replaced."""
    engine = make(book="none")
    with pytest.raises(ValueError, match="alluse_workflows"):
        make(book="none")
    engine.run_workflow("GOOG", DAY)
    assert figures("cache_requests_total", cache_name="week_classes", cache_request_type="miss") == 1


def test_health_of_the_book_is_critical(make, figures):
    """The checks of the host are not; without a book there is none of it."""
    engine = make()
    checks = {check.name: check for check in Checks.on(figures.registry).all()}
    assert {name: check.critical for name, check in checks.items()} == {
        "memory": False,
        "disk": False,
        "cpu": False,
        "book": True,
    }
    engine.faults.start(Fault("exhausted-pool"))
    until(lambda: engine.book.engine.pool.checkedout() == 3)
    assert "the book does not answer" in checks["book"]._execution._function()
    engine.close()
    assert Checks.on(figures.registry).all() == []
