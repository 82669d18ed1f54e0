"""What a scrape costs: 1,000 histogram children, against prometheus-client, in the same run."""

from collections.abc import Callable, Iterator
from functools import partial

import prometheus_client
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

import manometer
from manometer.exposition import protobuf
from measure import Row, paired

_CHILDREN = 1_000
_BUCKETS = [2.0**power for power in range(-9, 8)]
_OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def rows() -> Iterator[Row]:
    """Text and OpenMetrics, in which both write the same bytes, times of creation aside; then protobuf.

    Before each scrape every child is written to: the lines of the others would only be copied.
    """
    (ours, our_writes), (theirs, their_writes) = (_registry(kit) for kit in (manometer, prometheus_client))

    def write() -> None:
        for observe in (*our_writes, *their_writes):
            observe(0.01)

    yield _against("text", lambda: manometer.render(ours)[0], lambda: generate_latest(theirs), write)
    yield _against(
        "OpenMetrics",
        lambda: manometer.render(ours, _OPENMETRICS)[0],
        lambda: openmetrics.generate_latest(theirs),
        write,
    )
    yield from _protobuf(ours, theirs)


def _protobuf(ours: CollectorRegistry, theirs: CollectorRegistry) -> Iterator[Row]:
    against = "prometheus-client generate_latest, text"
    writers = (lambda: manometer.render(ours, protobuf.CONTENT_TYPE)[0], lambda: generate_latest(theirs))
    mine, other = (len(write()) for write in writers)
    detail = f"{mine:,} bytes against {other:,}"
    yield Row(f"size of {_CHILDREN:,} histogram children in protobuf", against, mine / other, "ratio", detail=detail)
    both, _ = _registry(manometer, native_schema=3)
    name = f"time to write {_CHILDREN:,} histogram children in protobuf"
    named = {name: ours, f"{name}, native buckets beside the classic ones": both}
    for name, registry in named.items():
        write = partial(manometer.render, registry, protobuf.CONTENT_TYPE)
        ratio, mine, other = paired(*map(_repeat, (write, writers[1])), calls=1, rounds=21)
        detail = f"{mine * 1e3:.1f} ms against {other * 1e3:.1f} ms"
        yield Row(name, against, ratio, "ratio", target=0.1, detail=detail)


def _against(
    format_name: str, ours: Callable[[], bytes], theirs: Callable[[], bytes], write: Callable[[], None]
) -> Row:
    ratio, mine, other = paired(_repeat(ours), _repeat(theirs), calls=1, rounds=21, before=write)
    lines = len(ours().splitlines())
    return Row(
        f"exposition of {_CHILDREN:,} histogram children, {format_name}",
        "prometheus-client generate_latest",
        ratio,
        "ratio",
        target=0.1,
        detail=f"{mine * 1e3:.1f} ms against {other * 1e3:.1f} ms for {lines:,} lines",
    )


def _registry(kit: object, **settings: int) -> tuple[CollectorRegistry, list[Callable[[float], None]]]:
    """A registry with so many children, and what observes on each."""
    registry, writes = CollectorRegistry(), []
    family = kit.Histogram(
        "request_duration_seconds", "Help.", ["path", "method"], registry=registry, buckets=_BUCKETS, **settings
    )
    for number in range(_CHILDREN):
        child = family.labels(f"/path/{number}", "GET")
        for event in range(20):
            child.observe(0.001 * event * number)
        writes.append(child.observe)
    return registry, writes


def _repeat(call: Callable[[], object]) -> Callable[[int], None]:
    def run(calls: int) -> None:
        for _ in range(calls):
            call()

    return run
