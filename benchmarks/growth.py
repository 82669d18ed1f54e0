"""How the costs grow: with threads, with children, with the time between scrapes; and what a fold holds up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from math import inf
from time import perf_counter, perf_counter_ns, process_time

import prometheus_client
from prometheus_client import CollectorRegistry, generate_latest

import manometer
from measure import Row, paired

_BUCKETS = [2.0**power for power in range(-9, 8)]
_KITS = (manometer, prometheus_client)
_WRITES = 100_000

Write = Callable[[], object]


def rows() -> Iterator[Row]:
    """Each against the same of prometheus-client, under the same load."""
    for threads in (1, 2, 8):
        for what, make in (("increment", _increment), ("observation", _observation), ("timed call", _timed_call)):
            runs = [partial(_by_threads, threads, make(kit)) for kit in _KITS]
            yield _paired(f"{what} on one series, {_so_many(threads, 'thread', 'threads')}", runs, _WRITES)
    for children in (1, 100, 10_000, 100_000):
        for what, make in (("increment", _increment), ("observation", _observation)):
            runs = [partial(_in_turn, _children(kit, make, children)) for kit in _KITS]
            name = f"{what}, in turn on {_so_many(children, 'bound child', 'bound children')}"
            yield _paired(name, runs, max(_WRITES, children))
    for children in (1, 100, 10_000, 100_000):
        name = f"exposition of {_so_many(children, 'histogram child', 'histogram children')}"
        yield _compared(name, partial(_scrape, children), "ms", 1e3)
    yield _large_exposition()
    yield _second_scrape()
    for interval in (1.0, 2.0, None):
        how = "never scraped" if interval is None else f"scraped every {interval:g} s"
        yield _compared(
            f"observation, in turn on 1,000 children {how}", partial(_between_scrapes, interval), "ns", 1e9
        )
    for events in (1_000, 1_000_000):
        name = f"first exposition of a series after {events:,} observations"
        yield _compared(name, partial(_scraped_after, events), "ms", 1e3)
    yield _compared("the slowest of a thousand observations (p99.9)", _pauses, "us", 1e6)


def _so_many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _paired(name: str, runs: list[Callable[[int], object]], calls: int) -> Row:
    ratio, mine, theirs = paired(*runs, calls=calls, rounds=5)
    return _row(name, ratio, mine, theirs, "ns", 1e9)


def _compared(name: str, seconds: Callable[[object], float], unit: str, scale: float) -> Row:
    mine, theirs = map(seconds, _KITS)
    return _row(name, mine / theirs, mine, theirs, unit, scale)


def _row(name: str, ratio: float, mine: float, theirs: float, unit: str, scale: float) -> Row:
    detail = f"{mine * scale:,.1f} {unit} against {theirs * scale:,.1f} {unit}"
    return Row(name, "prometheus-client", ratio, "ratio", detail=detail)


# --- one write, by either kit


def _increment(kit: object, family: object = None, label: str = "x") -> Write:
    return (family or _family(kit, "Counter")).labels(label).inc


def _observation(kit: object, family: object = None, label: str = "x") -> Write:
    return partial((family or _family(kit, "Histogram", buckets=_BUCKETS)).labels(label).observe, 0.7)


def _timed_call(kit: object) -> Write:
    timed = manometer.stage("s", registry=CollectorRegistry())
    if kit is prometheus_client:
        timed = _family(kit, "Histogram", buckets=_BUCKETS).labels("x").time()
    return timed(lambda: None)


def _family(kit: object, kind: str, registry: CollectorRegistry | None = None, **settings: object) -> object:
    if kit is manometer:
        settings["max_series"] = 10**6
    return getattr(kit, kind)("m", "Help.", ["l"], registry=registry, **settings)


def _children(kit: object, make: Callable[..., Write], children: int) -> list[Write]:
    kind, settings = ("Counter", {}) if make is _increment else ("Histogram", {"buckets": _BUCKETS})
    family = _family(kit, kind, **settings)
    return [make(kit, family, str(number)) for number in range(children)]


# --- many of them


def _by_threads(threads: int, write: Write, calls: int) -> None:
    """So many calls, all threads writing the same series."""

    def run() -> None:
        for _ in range(calls // threads):
            write()

    writers = [threading.Thread(target=run) for _ in range(threads)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def _in_turn(writes: list[Write], calls: int) -> None:
    for _ in range(calls // len(writes)):
        for write in writes:
            write()


def _scrape(children: int, kit: object) -> float:
    """Seconds of a scrape before which each child was written to."""
    registry, writes = _filled(children, kit)
    return min(_scraped_anew(kit, registry, writes) for _ in range(5 if children <= 10_000 else 3))


def _large_exposition(children: int = 100_000, times: int = 100) -> Row:
    """Whether a scrape of many children costs what they cost in many small ones; each child is written to before."""
    small, large = (_filled(number, manometer) for number in (children // times, children))
    whole, part = inf, inf
    for _ in range(5):
        whole = min(whole, _work_after(*large))
        part = min(part, *(_work_after(*small) for _ in range(20)))
    return Row(
        f"exposition of {children:,} histogram children, processor time",
        f"{times} times that of {children // times:,}",
        whole / (times * part),
        "ratio",
        target=1.2,
        detail=f"{whole * 1e3:,.1f} ms against {times} times {part * 1e3:,.2f} ms",
    )


def _second_scrape(children: int = 5_000, share: int = 100) -> Row:
    """A histogram child of 18 buckets is 20 series to Prometheus; a hundredth of the children was written to."""
    first, second = inf, inf
    for _ in range(7):
        registry, writes = _filled(children, manometer)
        first = min(first, _work_after(registry, []))
        second = min(second, _work_after(registry, writes[::share]))
    return Row(
        f"second scrape when 1 % of {children * (len(_BUCKETS) + 3):,} series changed, processor time",
        "the first",
        second / first,
        "ratio",
        target=0.1,
        detail=f"{second * 1e3:,.1f} ms against {first * 1e3:,.1f} ms",
    )


def _work_after(registry: CollectorRegistry, writes: list[Write]) -> float:
    """Seconds of processor time that a scrape takes after these writes.

    A long piece of work is interrupted more often than a short one, so by the clock they do not compare.
    """
    for write in writes:
        write()
    started = process_time()
    _written(manometer, registry)
    return process_time() - started


def _filled(children: int, kit: object) -> tuple[CollectorRegistry, list[Write]]:
    """A registry with a histogram of so many children, and an observation of each."""
    registry = CollectorRegistry()
    family = _family(kit, "Histogram", registry, buckets=_BUCKETS)
    writes = [_observation(kit, family, str(number)) for number in range(children)]
    for write in writes:
        write()
    return registry, writes


def _scraped_anew(kit: object, registry: CollectorRegistry, writes: list[Write]) -> float:
    """Seconds of a scrape after these writes."""
    for write in writes:
        write()
    return _seconds(lambda: _written(kit, registry))


def _between_scrapes(interval: float | None, kit: object) -> float:
    """Seconds an observation, of four seconds of them, with another thread that scrapes."""
    registry, writes = _filled(1_000, kit)
    rounds = 0
    with ExitStack() as stack:
        if interval is not None:
            stack.enter_context(_scraping(kit, registry, interval))
        started = perf_counter()
        while perf_counter() < started + 4:
            _in_turn(writes, 10 * len(writes))
            rounds += 10
        return (perf_counter() - started) / (rounds * len(writes))


@contextmanager
def _scraping(kit: object, registry: CollectorRegistry, interval: float) -> Iterator[None]:
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(interval):
            _written(kit, registry)

    scraper = threading.Thread(target=run)
    scraper.start()
    try:
        yield
    finally:
        stopped.set()
        scraper.join()


def _scraped_after(events: int, kit: object) -> float:
    """Seconds of the first scrape after so many events: what has been left for it to do."""
    registry = CollectorRegistry()
    observe = _family(kit, "Histogram", registry, buckets=_BUCKETS).labels("x").observe
    for _ in range(events):
        observe(0.7)
    return _seconds(lambda: _written(kit, registry))


def _pauses(kit: object, events: int = 300_000) -> float:
    """The p99.9 of single observations' times, each with the clock's own cost in it."""
    observe = _observation(kit)
    times = []
    for _ in range(events):
        started = perf_counter_ns()
        observe()
        times.append(perf_counter_ns() - started)
    times.sort()
    return times[int(events * 0.999)] / 1e9


def _written(kit: object, registry: CollectorRegistry) -> bytes:
    return manometer.render(registry)[0] if kit is manometer else generate_latest(registry)


def _seconds(call: Callable[[], object]) -> float:
    started = perf_counter()
    call()
    return perf_counter() - started
