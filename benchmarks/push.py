"""What a push over OTLP costs before it is sent: against OpenTelemetry's SDK and a scrape, in the same run."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import prometheus_client
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest

import manometer
from manometer.otlp.metrics.encoding import metrics_of, requests
from manometer.registry.collection import collect
from measure import Row, paired

_CHILDREN = 1_000
_BUCKETS = [2.0**power for power in range(-9, 8)]

Writes = list[Callable[[], object]]


def rows() -> Iterator[Row]:
    """So many histogram children, each of which was written to since the time before; then as many counters."""
    yield from _of("histogram", against_sdk=0.75, against_scrape=0.1)
    yield from _of("counter", against_sdk=0.6, against_scrape=0.5)


def _of(kind: str, against_sdk: float, against_scrape: float) -> Iterator[Row]:
    registry, our_writes = _registry(manometer, kind)
    scraped, their_writes = _registry(prometheus_client, kind)
    read, sdk_writes = _sdk(kind)
    written = partial(_each, [*our_writes, *their_writes, *sdk_writes])
    written()
    name = f"collection and encoding of {_CHILDREN:,} {kind} children for OTLP"
    peers = {
        "OpenTelemetry SDK": (lambda: encode_metrics(read()).SerializeToString(), against_sdk),
        "prometheus-client generate_latest, text": (partial(generate_latest, scraped), against_scrape),
    }
    for against, (peer, target) in peers.items():
        ours = partial(_push, registry)
        ratio, mine, other = paired(_repeat(ours), _repeat(peer), calls=1, rounds=21, before=written)
        detail = f"{mine * 1e3:.1f} ms against {other * 1e3:.1f} ms"
        yield Row(f"{name}, against {against}", against, ratio, "ratio", target=target, detail=detail)


def _push(registry: CollectorRegistry) -> None:
    now = time.time_ns()
    for _ in requests((metric for family in collect(registry) for metric in metrics_of(family, now)), b"", b""):
        pass


def _each(writes: Writes) -> None:
    for write in writes:
        write()


def _registry(kit: object, kind: str) -> tuple[CollectorRegistry, Writes]:
    registry = CollectorRegistry()
    if kind == "counter":
        family = kit.Counter("requests", "Help.", ["path", "method"], registry=registry)
    else:
        family = kit.Histogram("wait_seconds", "Help.", ["path", "method"], registry=registry, buckets=_BUCKETS)
    children = [family.labels(f"/path/{number}", "GET") for number in range(_CHILDREN)]
    return registry, [child.inc if kind == "counter" else partial(child.observe, 0.01) for child in children]


def _sdk(kind: str) -> tuple[Callable[[], object], Writes]:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], shutdown_on_exit=False).get_meter("benchmark")
    attributes = [{"path": f"/path/{number}", "method": "GET"} for number in range(_CHILDREN)]
    if kind == "counter":
        write = partial(meter.create_counter("requests").add, 1)
    else:
        write = partial(
            meter.create_histogram("wait", "s", explicit_bucket_boundaries_advisory=_BUCKETS).record, 0.01
        )
    return reader.get_metrics_data, [partial(write, each) for each in attributes]


def _repeat(call: Callable[[], object]) -> Callable[[int], None]:
    def run(calls: int) -> None:
        for _ in range(calls):
            call()

    return run
