"""The figures that `top` shows of an interval: a header, and a section each for stages, caches, pools and queues."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from manometer.catalogue import cache, engine, pool, process, queue, resilience, runtime
from manometer.cli.top.interval import Interval

__all__ = ["NONE", "Board", "Cell", "Section", "Trend", "board"]

NONE = "—"
"""What stands where there is no data."""
_NONE: Mapping[str, str] = {}
FULL = 0.9
"""Saturation from which a pool or a queue stands out."""


class Cell(NamedTuple):
    """A figure as text, and whether it should catch the eye."""

    text: str
    alarming: bool = False


class Trend(NamedTuple):
    """What is to be followed from interval to interval: a figure a row. highest: None for the highest seen."""

    head: str
    figures: Sequence[float | None]
    highest: float | None = None


class Section(NamedTuple):
    """A table: the columns' heads, most important first, and a row an object. weights: how much each row matters."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    weights: Sequence[float]
    trend: Trend


class Board(NamedTuple):
    """All that is shown of an interval."""

    header: list[tuple[str, Cell]]
    sections: list[Section]


def board(interval: Interval) -> Board:
    """Work the interval's figures out."""
    return Board(_header(interval), [each(interval) for each in (_stages, _caches, _pools, _queues)])


def _header(interval: Interval) -> list[tuple[str, Cell]]:
    states = interval.after.samples.get(resilience.BREAKER_STATE.prometheus_name, {})
    name, state = resilience.BREAKER_STATE.labels
    now = [dict(series) for series, value in states.items() if value == 1]
    troubled = sorted(f"{each[name]} {each[state]}" for each in now if each[state] != "closed")
    breakers = Cell(", ".join(troubled), True) if troubled else Cell("none" if now else NONE)
    return [
        ("memory", Cell(_bytes(interval.gauge(process.MEMORY_USAGE.prometheus_name)))),
        ("cpu", Cell(_share(interval.rate(process.CPU_TIME.prometheus_name)))),
        ("gc pause p99", Cell(_quantile(interval, 0.99, runtime.GC_PAUSE.prometheus_name))),
        ("breakers not closed", breakers),
    ]


def _stages(interval: Interval) -> Section:
    duration = engine.STAGE_DURATION.prometheus_name
    rows, times, means = [], [], []
    for name, stage in interval.identities(f"{duration}_count", "engine.name", "engine.stage.name"):
        where = {"engine.name": name, "engine.stage.name": stage}
        rate, errors = interval.rate(f"{duration}_count", where), _errors(interval, where)
        spent = interval.rate(f"{duration}_sum", where)
        mean = _ratio(spent, rate)
        times.append(spent or 0.0)
        means.append(mean)
        rows.append(
            (
                Cell(f"{name}/{stage}" if name else stage),
                Cell(_rate(rate)),
                Cell(_quantile(interval, 0.5, duration, where)),
                Cell(_quantile(interval, 0.99, duration, where)),
                Cell(_rate(errors), bool(errors)),
                Cell(_count(interval.gauge(engine.STAGE_ACTIVE.prometheus_name, where))),
                Cell(_seconds(mean)),
                Cell(_quantile(interval, 0.9, duration, where)),
                Cell(_share(_ratio(errors, rate)), bool(errors)),
                Cell(_count(interval.gauge(f"{duration}_count", where))),
            )
        )
    heads = ("stage", "rate", "p50", "p99", "errors", "active", "mean", "p90", "failed", "runs in all")
    return Section("stages", heads, rows, times, Trend("mean lately", means))


def _errors(interval: Interval, where: dict[str, str]) -> float | None:
    """Failed runs a second: 0 where the stage ran and has never failed, and so has no such series."""
    runs = f"{engine.STAGE_DURATION.prometheus_name}_count"
    if interval.gauge(runs, {"engine.stage.outcome": "error", **where}) is None:
        return None if interval.rate(runs, where) is None else 0.0
    return interval.rate(runs, {"engine.stage.outcome": "error", **where})


def _caches(interval: Interval) -> Section:
    requests, entries = cache.REQUESTS.prometheus_name, cache.ENTRIES.prometheus_name
    load, ahead = cache.LOAD_DURATION.prometheus_name, cache.PREFETCHES.prometheus_name
    rows, lookups, ratios = [], [], []
    names = {found for each in (requests, entries) for found in interval.identities(each, "cache.name")}
    for (name,) in sorted(names):
        where = {"cache.name": name}
        all_requests = interval.rate(requests, where)
        hits = interval.rate(requests, {"cache.request.type": "hit", **where})
        lookups.append(all_requests or 0.0)
        ratios.append(_ratio(hits, all_requests))
        cost = _ratio(
            interval.gauge(f"{load}_sum", {"cache.load.outcome": "ok", **where}),
            interval.gauge(f"{load}_count", {"cache.load.outcome": "ok", **where}),
        )
        held, limit = interval.gauge(entries, where), interval.gauge(cache.ENTRY_LIMIT.prometheus_name, where)
        rows.append(
            (
                Cell(name),
                Cell(_rate(all_requests)),
                Cell(_share(ratios[-1])),
                Cell(_of(held, limit)),
                Cell(_rate(interval.rate(cache.EVICTIONS.prometheus_name, where))),
                Cell(_quantile(interval, 0.5, load, where)),
                Cell(_quantile(interval, 0.99, load, where)),
                Cell(_seconds(cost)),
                Cell(NONE if hits is None or cost is None else f"{_seconds(hits * cost)}/s"),
                Cell(_count(interval.gauge(ahead, {"cache.prefetch.outcome": "used", **where}))),
                Cell(_count(interval.gauge(ahead, {"cache.prefetch.outcome": "late", **where}))),
            )
        )
    heads = (
        *("cache", "requests", "hits", "entries", "evictions", "load p50", "load p99", "mean load"),
        *("hits save", "prefetched", "too late"),
    )
    return Section("caches", heads, rows, lookups, Trend("hits lately", ratios, 1.0))


def _pools(interval: Interval) -> Section:
    resources, acquisitions = pool.RESOURCES.prometheus_name, pool.ACQUISITIONS.prometheus_name
    use = pool.USE_DURATION.prometheus_name
    rows, saturations = [], []
    for name, kind in interval.identities(resources, "pool.name", "pool.kind"):
        where = {"pool.name": name, "pool.kind": kind}
        used = interval.gauge(resources, {"pool.resource.state": "used", **where})
        limit = interval.gauge(pool.RESOURCE_LIMIT.prometheus_name, where)
        saturation = _ratio(used, limit)
        saturations.append(saturation)
        timeouts, refused = (interval.rate(each.prometheus_name, where) for each in (pool.TIMEOUTS, pool.REJECTIONS))
        waiting = interval.gauge(pool.PENDING_REQUESTS.prometheus_name, where)
        acquired = interval.rate(acquisitions, where)
        reused = interval.rate(acquisitions, {"pool.acquisition.source": "reused", **where})
        rows.append(
            (
                Cell(f"{name} ({kind})"),
                Cell(_of(used, limit)),
                Cell(_share(saturation), saturation is not None and saturation >= FULL),
                Cell(_share(_busy(interval.rate(f"{use}_sum", where), limit))),
                Cell(_count(waiting)),
                Cell(_quantile(interval, 0.99, pool.WAIT_DURATION.prometheus_name, where)),
                Cell(_rate(acquired)),
                Cell(_share(_ratio(reused, acquired))),
                Cell(_quantile(interval, 0.5, use, where)),
                Cell(_quantile(interval, 0.99, use, where)),
                Cell(_rate(timeouts), bool(timeouts)),
                Cell(_rate(refused), bool(refused)),
            )
        )
    heads = (
        *("pool", "used", "saturation", "busy", "waiting", "wait p99", "acquired", "reused"),
        *("use p50", "use p99", "timed out", "refused"),
    )
    return Section(
        "pools", heads, rows, [each or 0.0 for each in saturations], Trend("saturation lately", saturations, 1.0)
    )


def _queues(interval: Interval) -> Section:
    items, operations, wait = (each.prometheus_name for each in (queue.ITEMS, queue.OPERATIONS, queue.WAIT_DURATION))
    rows, depths, saturations = [], [], []
    names = {found for each in (items, operations) for found in interval.identities(each, "queue.name")}
    for (name,) in sorted(names):
        where = {"queue.name": name}
        depth, limit = interval.gauge(items, where), interval.gauge(queue.ITEM_LIMIT.prometheus_name, where)
        saturation = _ratio(depth, limit)
        refused = interval.rate(queue.REJECTIONS.prometheus_name, where)
        depths.append(depth)
        saturations.append(saturation or 0.0)
        rows.append(
            (
                Cell(name),
                Cell(_of(depth, limit)),
                Cell(_share(saturation), saturation is not None and saturation >= FULL),
                Cell(_rate(interval.rate(operations, {"queue.operation.type": "put", **where}))),
                Cell(_rate(interval.rate(operations, {"queue.operation.type": "get", **where}))),
                Cell(_quantile(interval, 0.99, wait, where)),
                Cell(_rate(refused), bool(refused)),
                Cell(_quantile(interval, 0.5, wait, where)),
            )
        )
    heads = ("queue", "items", "full", "puts", "gets", "wait p99", "refused", "wait p50")
    return Section("queues", heads, rows, saturations, Trend("items lately", depths))


def _busy(using: float | None, limit: float | None) -> float | None:
    """Time in use over the time that there was. A use counts when it ends, so a long one would pass 1."""
    share = _ratio(using, limit)
    return None if share is None else min(share, 1.0)


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


# --- figures as text


def _rate(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}/s" if value >= 10 or value == int(value) else f"{value:.1f}/s"


def _quantile(interval: Interval, q: float, name: str, where: Mapping[str, str] = _NONE) -> str:
    """A quantile as text; under the first bucket's bound nothing is known but that, and so nothing else is shown."""
    value, finest = interval.quantile(q, name, where), interval.finest(name, where)
    if value is not None and finest is not None and value < finest:
        return f"< {_seconds(finest)}"
    return _seconds(value)


def _seconds(value: float | None) -> str:
    if value is None:
        return NONE
    if value >= 1 or value == 0:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} µs"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value * 100:.1f} %"


def _bytes(value: float | None) -> str:
    return NONE if value is None else f"{value / 1e6:,.1f} MB"


def _count(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def _of(value: float | None, limit: float | None) -> str:
    return _count(value) if limit is None else f"{_count(value)}/{_count(limit)}"
