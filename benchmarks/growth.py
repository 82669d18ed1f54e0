"""How the costs grow: with threads, with children, with the time between scrapes; and what a fold holds up."""

import threading
from collections.abc import Callable, Iterator
from time import perf_counter, perf_counter_ns

import prometheus_client
from prometheus_client import CollectorRegistry, generate_latest

import manometer
from measure import Row

_BUCKETS = [2.0**power for power in range(-9, 8)]
_KITS = (manometer, prometheus_client)


def rows() -> Iterator[Row]:
    """Each against prometheus-client's Histogram.observe, or its exposition, under the same load."""
    for threads in (1, 2, 8):
        mine, theirs = (_observations(kit, threads) for kit in _KITS)
        yield _row(f"observation on one series, {threads} threads", mine, theirs, "ns", 1e9)
    for children in (1, 100, 10_000, 100_000):
        mine, theirs = (_spread(kit, children) for kit in _KITS)
        yield _row(f"observation, in turn on {children:,} bound children", mine, theirs, "ns", 1e9)
    for children in (1, 100, 10_000):
        mine, theirs = (_scrape(kit, children) for kit in _KITS)
        yield _row(f"exposition of {children:,} histogram children", mine, theirs, "ms", 1e3)
    for events in (1_000, 1_000_000):
        mine, theirs = (_scraped_after(kit, events) for kit in _KITS)
        yield _row(f"first exposition of a series after {events:,} observations", mine, theirs, "ms", 1e3)
    mine, theirs = (_pauses(kit) for kit in _KITS)
    yield _row("the slowest of a thousand observations (p99.9)", mine, theirs, "us", 1e6)


def _row(name: str, mine: float, theirs: float, unit: str, scale: float) -> Row:
    detail = f"{mine * scale:,.1f} {unit} against {theirs * scale:,.1f} {unit}"
    return Row(name, "prometheus-client", mine / theirs, "ratio", detail=detail)


def _histogram(kit: object, registry: CollectorRegistry | None = None) -> object:
    return kit.Histogram("h", "Help.", ["l"], registry=registry, buckets=_BUCKETS, **_uncapped(kit))


def _uncapped(kit: object) -> dict[str, int]:
    return {"max_series": 10**6} if kit is manometer else {}


def _observations(kit: object, threads: int, events: int = 200_000) -> float:
    """Seconds of wall clock an observation, all threads writing the same series."""
    observe = _histogram(kit).labels("x").observe

    def write() -> None:
        for _ in range(events // threads):
            observe(0.7)

    writers = [threading.Thread(target=write) for _ in range(threads)]
    started = perf_counter()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return (perf_counter() - started) / events


def _spread(kit: object, children: int, events: int = 200_000) -> float:
    family = _histogram(kit)
    observers = [family.labels(str(number)).observe for number in range(children)]
    rounds = max(events // children, 1)
    started = perf_counter()
    for _ in range(rounds):
        for observe in observers:
            observe(0.7)
    return (perf_counter() - started) / (rounds * children)


def _scrape(kit: object, children: int) -> float:
    registry = CollectorRegistry()
    family = _histogram(kit, registry)
    for number in range(children):
        family.labels(str(number)).observe(0.7)
    return _least(lambda: _written(kit, registry), 5)


def _scraped_after(kit: object, events: int) -> float:
    """Seconds of the first scrape after so many events: what has been left for it to do."""
    registry = CollectorRegistry()
    observe = _histogram(kit, registry).labels("x").observe
    for _ in range(events):
        observe(0.7)
    return _least(lambda: _written(kit, registry), 1)


def _pauses(kit: object, events: int = 300_000) -> float:
    """The p99.9 of single observations' times, each with the clock's own cost in it."""
    observe = _histogram(kit).labels("x").observe
    times = []
    for _ in range(events):
        started = perf_counter_ns()
        observe(0.7)
        times.append(perf_counter_ns() - started)
    times.sort()
    return times[int(events * 0.999)] / 1e9


def _written(kit: object, registry: CollectorRegistry) -> bytes:
    return manometer.render(registry)[0] if kit is manometer else generate_latest(registry)


def _least(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = perf_counter()
        call()
        times.append(perf_counter() - started)
    return min(times)
