"""What instrumentation costs a whole engine, and how fast ALL-USE is with it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median

from prometheus_client import CollectorRegistry

from alluse.engine import Engine
from alluse.settings import NO_BOOK, TEMPORARY_BOOK, Settings
from measure import Row, paired, per_call

_READS_PUBLISHED = 33_481
_WORKFLOWS_PUBLISHED = 1_786


def rows() -> Iterator[Row]:
    """Throughput with and without instrumentation, then the speeds that ALL-USE's makers published.

    The human answers at once here: his delay would be measured in the place of the engine.
    """
    yield _overhead("ALL-USE with its book, workflows a second", TEMPORARY_BOOK, calls=400, target=0.9)
    yield _overhead(
        "ALL-USE without a book, workflows a second", NO_BOOK, calls=2_000, remark="; all computing, no waiting"
    )
    with _engine(NO_BOOK, instrumented=True) as engine:
        workflows = median(1 / per_call(_workflows(engine), 2_000) for _ in range(9))
        yield Row(
            "whole workflows, instrumented, database off",
            "1,786 a second",
            workflows,
            "a second",
            target=_WORKFLOWS_PUBLISHED,
            at_most=False,
        )
        reads = median(1 / per_call(_reads(engine), 50_000) for _ in range(9))
        yield Row(
            "cached market-data reads, instrumented",
            "33,481 a second",
            reads,
            "a second",
            target=_READS_PUBLISHED,
            at_most=False,
        )


def _overhead(name: str, book: str, calls: int, target: float | None = None, remark: str = "") -> Row:
    with ExitStack() as engines:
        measured, bare = (engines.enter_context(_engine(book, instrumented=each)) for each in (True, False))
        # A rate is the inverse of a time: without over with is the share of its speed the engine keeps.
        ratio, without, with_it = paired(_workflows(bare), _workflows(measured), calls)
    detail = f"{1 / with_it:,.0f} a second against {1 / without:,.0f}{remark}"
    return Row(name, "not instrumented", ratio, "ratio", target, at_most=False, detail=detail)


def _engine(book: str, *, instrumented: bool) -> Engine:
    settings = Settings(book=book, approval_delay=0.0)
    return Engine(settings, registry=CollectorRegistry(), instrumented=instrumented)


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
