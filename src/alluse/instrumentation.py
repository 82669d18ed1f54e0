"""Instrumentation: everything that Manometer measures of the engine, in one place.

The engine and its parts know nothing of it. Without it they are plain objects, which is what the benchmarks
compare them with.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from time import perf_counter

from prometheus_client import CollectorRegistry

from alluse.bars import Bar
from alluse.checks import watch
from alluse.engine import Engine
from alluse.metrics import Metrics
from manometer import (
    Binding,
    instrument_breaker,
    instrument_cache,
    instrument_executor,
    instrument_loop,
    instrument_pool,
    instrument_queue,
    instrument_retry,
    stage,
)

__all__ = ["instrument"]

_ENGINE = "protocol"


def instrument(engine: Engine, registry: CollectorRegistry) -> None:
    """Measure the engine on the registry until the engine is closed."""
    with ExitStack() as undo:  # what has been measured is taken off again where a later step raises
        metrics = Metrics(registry, engine.trust, engine.faults)
        undo.callback(metrics.close)
        engine.ended = metrics.ended
        engine.trust.decided = metrics.decided
        engine.rules.decided = metrics.ruled
        for bind in (_caches, _pools, _queues, _broker, _loop):
            for binding in bind(engine, registry):
                undo.callback(binding.close)
        for close in watch(engine.gateway, registry):
            undo.callback(close)
        _stages(engine, registry)
        engine.attached.push(undo.pop_all())


def _caches(engine: Engine, registry: CollectorRegistry) -> Iterator[Binding]:
    classifier, analyzer, adjuster, market = engine.classifier, engine.analyzer, engine.adjuster, engine.market
    classifier.move = instrument_cache(name="week_moves", registry=registry)(classifier.move)
    yield Binding.of(classifier.move)
    classifier.classify = instrument_cache(name="week_classes", registry=registry)(classifier.classify)
    yield Binding.of(classifier.classify)
    analyzer.analyze = instrument_cache(name="market_conditions", registry=registry)(analyzer.analyze)
    yield Binding.of(analyzer.analyze)
    adjuster.adjust = instrument_cache(name="atr_adjustments", registry=registry)(adjuster.adjust)
    yield Binding.of(adjuster.adjust)
    bars = Binding.of(instrument_cache(market.cache, name="market_data", registry=registry))
    yield bars
    market.cache.used = bars.counter("cache.prefetches", {"cache.prefetch.outcome": "used"}).inc
    market.cache.unused = bars.counter("cache.prefetches", {"cache.prefetch.outcome": "unused"}).inc
    market.cache.late = bars.counter("cache.prefetches", {"cache.prefetch.outcome": "late"}).inc
    market.cache.failed = bars.counter("cache.prefetches", {"cache.prefetch.outcome": "failed"}).inc
    market.load = _timed_load(market.load, bars)


def _pools(engine: Engine, registry: CollectorRegistry) -> Iterator[Binding]:
    yield Binding.of(instrument_pool(engine.orders, name="orders", registry=registry))
    yield Binding.of(instrument_executor(engine.market.executor, name="market_data", registry=registry))
    yield Binding.of(instrument_executor(engine.load.executor, name="workflows", registry=registry))
    if engine.book is not None:
        yield Binding.of(instrument_pool(engine.book.engine, name="broker", registry=registry))


def _queues(engine: Engine, registry: CollectorRegistry) -> Iterator[Binding]:
    yield Binding.of(instrument_queue(engine.approver.inbox, name="approvals", registry=registry))


def _broker(engine: Engine, registry: CollectorRegistry) -> Iterator[Binding]:
    gateway = engine.gateway
    yield Binding.of(instrument_retry(gateway.retrying, operation="place_order", registry=registry))
    breaker = Binding.of(instrument_breaker(gateway.breaker, name="broker", registry=registry))
    yield breaker
    gateway.gate.refused = breaker.counter("breaker.calls", {"breaker.call.outcome": "rejected"}).inc


def _loop(engine: Engine, registry: CollectorRegistry) -> Iterator[Binding]:
    yield instrument_loop(engine.loop.asyncio, name="alluse", registry=registry)


def _stages(engine: Engine, registry: CollectorRegistry) -> None:
    def measured(name: str) -> stage:
        return stage(name, engine=_ENGINE, registry=registry)

    protocol = engine.protocol
    protocol.classify_week = measured("classify_week")(engine.classifier.classify)
    protocol.analyze_market = measured("analyze_market")(engine.analyzer.analyze)
    protocol.adjust_atr = measured("adjust_atr")(engine.adjuster.adjust)
    protocol.apply_rules = measured("apply_rules")(protocol.apply_rules)
    protocol.seek_approval = measured("seek_approval")(protocol.seek_approval)
    orders = stage("place_order", engine=_ENGINE, kind="client", items=len, registry=registry)
    protocol.place_order = orders(protocol.place_order)
    protocol.run = measured("workflow")(protocol.run)


def _timed_load(load: Callable[[str, date], Bar], binding: Binding) -> Callable[[str, date], Bar]:
    """The load of a bar, timed here because it runs outside the cache, and so outside the cache's lock."""
    ok = binding.histogram("cache.load.duration", {"cache.load.outcome": "ok"}).observe
    error = binding.histogram("cache.load.duration", {"cache.load.outcome": "error"}).observe

    def timed(symbol: str, day: date) -> Bar:
        started = perf_counter()
        try:
            bar = load(symbol, day)
        except BaseException:
            error(perf_counter() - started)
            raise
        ok(perf_counter() - started)
        return bar

    return timed
