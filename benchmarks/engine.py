"""What instrumentation costs a whole engine, and how fast ALL-USE is with it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Self

from prometheus_client import CollectorRegistry

from alluse.bars import Bar
from alluse.engine import Engine
from alluse.instrumentation import instrument
from alluse.market_data import MarketData
from alluse.settings import NO_BOOK, TEMPORARY_BOOK, Settings
from measure import Row, paired, per_call

_READS_PUBLISHED = 33_481
_WORKFLOWS_PUBLISHED = 1_786
_EFFICIENCY_PUBLISHED = 0.95
_PROCESSES = 5  # pairs of them: where its memory happens to lie makes a process some percent faster than the next


def rows() -> Iterator[Row]:
    """Throughput with and without instrumentation, then the speeds that ALL-USE's makers published.

    The human answers at once here: his delay would be measured in the place of the engine.
    """
    workers = Settings().workers
    yield _overhead(f"ALL-USE with its book, {workers} workflows at a time", TEMPORARY_BOOK, workers, target=0.97)
    yield _overhead("ALL-USE with its book, one workflow after the other", TEMPORARY_BOOK, target=0.97)
    yield _overhead("ALL-USE without a book, all computing, no waiting", NO_BOOK, calls=2_000)
    with _engine(NO_BOOK, instrumented=True) as engine:
        workflows = median(1 / per_call(_workflows(engine), 2_000) for _ in range(9))
        yield Row(
            "whole workflows, instrumented, database off",
            "published: 1,786 a second",
            workflows,
            "a second",
            target=_WORKFLOWS_PUBLISHED,
            at_most=False,
        )
        reads = median(1 / per_call(_reads(engine), 50_000) for _ in range(9))
        yield Row(
            "cached market-data reads, instrumented",
            "published: 33,481 a second",
            reads,
            "a second",
            target=_READS_PUBLISHED,
            at_most=False,
        )
    yield _efficiency("prices that take 5 ms each", 0.005, target=_EFFICIENCY_PUBLISHED)
    yield _efficiency("prices read from the disk's cache in microseconds", 0.0)


def _efficiency(what: str, seconds: float, target: float | None = None) -> Row:
    """Time that the market data's workers load prices, over the time that there is, with all prices to load.

    A worker that waits for the interpreter's lock in a load counts as loading, as everywhere a thread is timed.
    """
    registry = CollectorRegistry()
    with Engine(Settings(book=NO_BOOK, bars_ahead=10_000)) as engine:
        instrument(engine, registry)
        market, workers = engine.market, engine.settings.bar_workers
        load = market.load

        def slow(symbol: str, day: date) -> Bar:
            time.sleep(seconds)
            return load(symbol, day)

        market.load = slow if seconds else load
        shares = [_busy(market, registry) / workers for _ in range(5)]
    return Row(
        f"{workers} workers of the market data kept busy, {what}",
        "published: 95 % of 12 workers",
        median(shares),
        "ratio",
        target,
        at_most=False,
    )


def _busy(market: MarketData, registry: CollectorRegistry) -> float:
    """Seconds that workers ran tasks for each second that it took to load every price of the first symbol."""
    symbol = market.symbols[0]
    days = market.days(symbol)
    market.cache.clear()
    market.prefetch(symbol, days[-1])  # so that the first day is another than the last time
    worked, started = _worked(registry), perf_counter()
    market.prefetch(symbol, days[0])
    while len(market.cache) < len(days) - 1:
        time.sleep(0.001)
    return (_worked(registry) - worked) / (perf_counter() - started)


def _worked(registry: CollectorRegistry) -> float:
    labels = {"pool_name": "market_data", "pool_kind": "worker"}
    return registry.get_sample_value("pool_use_duration_seconds_sum", labels) or 0.0


def _overhead(name: str, book: str, workers: int = 1, calls: int = 400, target: float | None = None) -> Row:
    figures = []
    for _ in range(_PROCESSES):
        with _Running(book, workers, instrumented=True) as mine, _Running(book, workers, instrumented=False) as bare:
            # A rate is the inverse of a time: without over with is the share of its speed the engine keeps.
            figures.append(paired(bare, mine, calls, rounds=11))
    ratio, without, with_it = map(median, zip(*figures, strict=True))
    detail = f"{1 / with_it:,.0f} a second against {1 / without:,.0f}"
    return Row(name, "not instrumented", ratio, "ratio", target, at_most=False, detail=detail)


class _Running:
    """An engine in a process of its own, which runs as many workflows as it is called with.

    In one process the interpreter would fit its code to the methods of both engines, measured and bare, and
    so to neither; no program has both.
    """

    def __init__(self, book: str, workers: int, *, instrumented: bool) -> None:
        processes = get_context("spawn")
        self._calls, calls = processes.Pipe()
        self._process = processes.Process(target=_run, args=(calls, book, workers, instrumented))

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.send(0)
        self._process.join()

    def __call__(self, calls: int) -> None:
        self._calls.send(calls)
        self._calls.recv()


def _run(calls: Connection, book: str, workers: int, instrumented: bool) -> None:
    with _engine(book, instrumented=instrumented) as engine, ThreadPoolExecutor(workers) as threads:
        while count := calls.recv():
            list(threads.map(_workflows(engine), [count // workers] * workers))
            calls.send(count)


def _engine(book: str, *, instrumented: bool) -> Engine:
    engine = Engine(Settings(book=book, approval_delay=0.0))
    if instrumented:
        instrument(engine, CollectorRegistry())
    return engine


def _workflows(engine: Engine) -> Callable[[int], None]:
    def run(calls: int) -> None:
        for _ in range(calls):
            engine.run_workflow()

    return run


def _reads(engine: Engine) -> Callable[[int], None]:
    market = engine.market
    symbol = market.symbols[0]
    days = market.days(symbol)
    for day in days:
        market.bar(symbol, day)

    def run(calls: int) -> None:
        for call in range(calls):
            market.bar(symbol, days[call % len(days)])

    return run
