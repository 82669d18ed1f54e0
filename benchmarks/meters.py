"""What a write costs, against prometheus-client's, in the same run."""

import functools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from time import perf_counter
from unittest.mock import patch

import cachetools
import prometheus_client
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBasedTraceIdRatio
from prometheus_client import CollectorRegistry

import manometer
from manometer.tracing.recorder import Recorder
from manometer.tracing.sampling import Sampling
from manometer.tracing.spans import record_by
from measure import Row, paired, per_call

_CALLS = 20_000
_KITS = (manometer, prometheus_client)
_SELDOM = 0.01
_STAGE = "@stage: duration, in flight, outcome, error type"


def rows() -> Iterator[Row]:
    """One row a kind of write."""
    yield _against("counter increment, bound child", "Counter.inc", _counter, target=0.25)
    yield _against("histogram observation, folding included", "Histogram.observe", _histogram, target=0.25)
    yield _against(
        "histogram observation, native buckets too", "Histogram.observe", partial(_histogram, native_schema=3)
    )
    yield _against("histogram observation, amounts that spread over 50 native buckets", "Histogram.observe", _spread)
    yield _against("labels by position, and increment", "Counter.labels().inc", _labels, target=0.2)
    yield _against("labels by name, and increment", "Counter.labels().inc", _named_labels)
    yield _stage()
    yield _stage_against_otel()
    yield _stage_untraced()
    yield _stage_not_sampled()
    yield _stage_seldom_sampled()
    yield _stage_seldom_sampled_by_the_program()
    yield _stage_sampled()
    yield _cache_hit()
    yield _lru_hit()


def _repeat(call: Callable[[], object]) -> Callable[[int], None]:
    def run(calls: int) -> None:
        for _ in range(calls):
            call()

    return run


def _counter(kit: object) -> Callable[[], object]:
    return kit.Counter("c", "Help.", ["l"], registry=None).labels("x").inc


def _histogram(kit: object, **native: int) -> Callable[[], object]:
    buckets = [2.0**power for power in range(-9, 8)]
    settings = native if kit is manometer else {}
    histogram = kit.Histogram("h", "Help.", ["l"], registry=None, buckets=buckets, **settings)
    return partial(histogram.labels("x").observe, 0.7)


def _spread(kit: object) -> Callable[[], object]:
    observe = _histogram(kit, native_schema=3).func
    chance = random.Random(1)
    amounts = cycle([chance.lognormvariate(-0.4, 0.7) for _ in range(5_000)])
    return lambda: observe(next(amounts))


def _labels(kit: object) -> Callable[[], object]:
    family = kit.Counter("c", "Help.", ["a", "b"], registry=None)
    return lambda: family.labels("x", "y").inc()


def _named_labels(kit: object) -> Callable[[], object]:
    family = kit.Counter("c", "Help.", ["a", "b"], registry=None)
    return lambda: family.labels(a="x", b="y").inc()


def _against(
    name: str, theirs: str, make: Callable[[object], Callable[[], object]], target: float | None = None
) -> Row:
    ratio, mine, other = paired(*(_repeat(make(kit)) for kit in _KITS), calls=_CALLS)
    return Row(name, f"prometheus-client {theirs}", ratio, "ratio", target, detail=_times(mine, other))


def _stage() -> Row:
    registry = CollectorRegistry()
    timed = prometheus_client.Histogram("h", "Help.", registry=None).time()(_nothing)
    measured = manometer.stage("s", registry=registry)(_nothing)
    ratio, mine, other = paired(_repeat(measured), _repeat(timed), calls=_CALLS)
    return Row(
        _STAGE,
        "prometheus-client @hist.time() alone",
        ratio,
        "ratio",
        target=0.3,
        detail=_times(mine, other),
    )


def _stage_untraced() -> Row:
    timed = prometheus_client.Histogram("h", "Help.", registry=None).time()(_nothing)
    measured = manometer.stage("s", registry=CollectorRegistry())(_nothing)
    provider = TracerProvider(sampler=ALWAYS_OFF)
    request = provider.get_tracer("host").start_as_current_span("request")
    with patch.object(trace, "_TRACER_PROVIDER", provider), request:
        ratio, mine, other = paired(_repeat(measured), _repeat(timed), calls=_CALLS)
    name = f"{_STAGE}, in a trace that is not sampled"
    return Row(name, "prometheus-client @hist.time() alone", ratio, "ratio", target=0.3, detail=_times(mine, other))


@contextmanager
def _recording(sampling: Sampling) -> Iterator[None]:
    """Have a provider of ours, whose spans go nowhere, decide on the traces that begin here."""
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    with patch.object(trace, "_TRACER_PROVIDER", provider):
        record_by(provider, Recorder(provider, sampling, take=_identity, count=_identity))
        yield
        record_by(None, None)


def _stage_not_sampled() -> Row:
    """A stage that begins a trace, which nobody wants unless it fails or is slow: it leaves its times."""
    timed = prometheus_client.Histogram("h", "Help.", registry=None).time()(_nothing)
    measured = manometer.stage("s", registry=CollectorRegistry())(_nothing)
    with _recording(Sampling(0.0, left_a_second=10.0)):
        ratio, mine, other = paired(_repeat(measured), _repeat(timed), calls=_CALLS)
    name = f"{_STAGE}, where nothing is sampled and failed runs leave a trace afterwards"
    return Row(name, "prometheus-client @hist.time() alone", ratio, "ratio", target=0.5, detail=_times(mine, other))


def _stage_seldom_sampled() -> Row:
    """A stage that begins a trace, on which the ratio decides."""
    with _recording(Sampling(_SELDOM, left_a_second=10.0)):
        return _seldom_sampled("where one trace in a hundred is sampled and failed runs leave one afterwards")


def _stage_seldom_sampled_by_the_program() -> Row:
    """The same with a provider of the program's own, whose sampler is known."""
    with patch.object(trace, "_TRACER_PROVIDER", TracerProvider(sampler=ParentBasedTraceIdRatio(_SELDOM))):
        return _seldom_sampled("where the program's provider samples one trace in a hundred")


def _seldom_sampled(where: str) -> Row:
    timed = prometheus_client.Histogram("h", "Help.", registry=None).time()(_nothing)
    measured = manometer.stage("s", registry=CollectorRegistry())(_nothing)
    ratio, mine, other = paired(_repeat(measured), _repeat(timed), calls=_CALLS)
    name = f"{_STAGE}, {where}"
    return Row(name, "prometheus-client @hist.time() alone", ratio, "ratio", 0.5, detail=_times(mine, other))


def _stage_sampled() -> Row:
    """A stage with a span, against a span and a record of the SDK; neither sends its spans."""
    measured = manometer.stage("s", registry=CollectorRegistry())(_nothing)
    with _recording(Sampling(1.0)):
        ratio, mine, other = paired(_repeat(measured), _repeat(_otel()), calls=_CALLS // 10)
    name = f"{_STAGE}, span and exemplar"
    return Row(name, "OpenTelemetry SDK histogram record and span", ratio, "ratio", 0.5, detail=_times(mine, other))


def _stage_against_otel() -> Row:
    measured = manometer.stage("s", registry=CollectorRegistry())(_nothing)
    ratio, mine, other = paired(_repeat(measured), _repeat(_otel()), calls=_CALLS // 10)
    return Row(
        f"{_STAGE}, beside a span",
        "OpenTelemetry SDK histogram record and span",
        ratio,
        "ratio",
        target=1 / 40,
        detail=_times(mine, other),
    )


def _otel() -> Callable[[], None]:
    """A span and a record of the SDK, of providers of its own: the global one stays unset, as where nobody traces."""
    record = MeterProvider(metric_readers=[InMemoryMetricReader()]).get_meter("peer").create_histogram("h").record
    span = TracerProvider().get_tracer("peer").start_as_current_span
    attributes = {"engine.name": "main", "engine.stage.name": "s", "engine.stage.outcome": "ok"}

    def run() -> None:
        started = perf_counter()
        with span("s"):
            _nothing()
        record(perf_counter() - started, attributes)

    return run


def _lru_hit() -> Row:
    plain = functools.lru_cache(_identity)
    measured = manometer.instrument_cache(functools.lru_cache(_identity), name="l", registry=CollectorRegistry())
    ratio, mine, other = paired(_repeat(partial(measured, 1)), _repeat(partial(plain, 1)), calls=_CALLS)
    return Row("hit on an instrumented functools.lru_cache", "bare", ratio, "ratio", detail=_times(mine, other))


def _cache_hit() -> Row:
    registry = CollectorRegistry()
    plain = cachetools.LRUCache(10)
    measured = manometer.instrument_cache(cachetools.LRUCache(10), name="c", registry=registry)
    plain["k"] = measured["k"] = 1
    increment = _repeat(prometheus_client.Counter("c", "Help.", registry=None).inc)
    bare, ours = _repeat(lambda: plain["k"]), _repeat(lambda: measured["k"])
    for run in (bare, ours, increment):
        run(_CALLS)
    rounds = [[per_call(run, _CALLS) for run in (ours, bare, increment)] for _ in range(15)]
    ratios = sorted((mine - without) / theirs for mine, without, theirs in rounds)
    return Row(
        "hit on an instrumented cachetools cache, extra over bare",
        "one prometheus-client Counter.inc",
        ratios[len(ratios) // 2],
        "ratio",
        target=0.4,
    )


def _nothing() -> None:
    pass


def _identity(value: object) -> object:
    return value


def _times(mine: float, other: float) -> str:
    return f"{mine * 1e9:,.0f} ns against {other * 1e9:,.0f} ns"
