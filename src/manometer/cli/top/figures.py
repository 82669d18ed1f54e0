"""The figures that `top` shows of an interval: a header, and a section each for stages, caches and pools."""

from collections.abc import Sequence
from typing import NamedTuple

from manometer.catalogue import cache, engine, pool, resilience, runtime
from manometer.cli.top.interval import Interval

__all__ = ["NONE", "Board", "Cell", "Section", "board"]

NONE = "—"
"""What stands where there is no data."""
FULL = 0.9
"""Saturation from which a pool stands out."""


class Cell(NamedTuple):
    """A figure as text, and whether it should catch the eye."""

    text: str
    alarming: bool = False


class Section(NamedTuple):
    """A table: the columns' heads, most important first, and a row an object."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


class Board(NamedTuple):
    """All that is shown of an interval."""

    header: list[tuple[str, Cell]]
    sections: list[Section]


def board(interval: Interval) -> Board:
    """Work the interval's figures out."""
    return Board(_header(interval), [_stages(interval), _caches(interval), _pools(interval)])


def _header(interval: Interval) -> list[tuple[str, Cell]]:
    # The names of prometheus-client's process collector, which has no row in the catalogue.
    states = interval.after.samples.get(resilience.BREAKER_STATE.prometheus_name, {})
    now = [dict(series) for series, value in states.items() if value == 1]
    troubled = sorted(f"{each['breaker']} {each['state']}" for each in now if each["state"] != "closed")
    breakers = Cell(", ".join(troubled), True) if troubled else Cell("none" if now else NONE)
    return [
        ("memory", Cell(_bytes(interval.gauge("process_resident_memory_bytes")))),
        ("cpu", Cell(_share(interval.rate("process_cpu_seconds_total")))),
        ("gc pause p99", Cell(_quantile(interval, 0.99, runtime.GC_PAUSE.prometheus_name))),
        ("breakers not closed", breakers),
    ]


def _stages(interval: Interval) -> Section:
    duration = engine.STAGE_DURATION.prometheus_name
    rows = []
    for name, stage in interval.identities(f"{duration}_count", "engine", "stage"):
        where = {"engine": name, "stage": stage}
        errors = _errors(interval, where)
        rows.append(
            (
                Cell(f"{name}/{stage}" if name else stage),
                Cell(_rate(interval.rate(f"{duration}_count", **where))),
                Cell(_quantile(interval, 0.5, duration, **where)),
                Cell(_quantile(interval, 0.99, duration, **where)),
                Cell(_rate(errors), bool(errors)),
                Cell(_count(interval.gauge(engine.STAGE_ACTIVE.prometheus_name, **where))),
            )
        )
    return Section("stages", ("stage", "rate", "p50", "p99", "errors", "active"), rows)


def _errors(interval: Interval, where: dict[str, str]) -> float | None:
    """Failed runs a second: 0 where the stage ran and has never failed, and so has no such series."""
    runs = f"{engine.STAGE_DURATION.prometheus_name}_count"
    if interval.gauge(runs, outcome="error", **where) is None:
        return None if interval.rate(runs, **where) is None else 0.0
    return interval.rate(runs, outcome="error", **where)


def _caches(interval: Interval) -> Section:
    requests, entries = cache.REQUESTS.prometheus_name, cache.ENTRIES.prometheus_name
    rows = []
    for (name,) in sorted({*interval.identities(requests, "cache"), *interval.identities(entries, "cache")}):
        where = {"cache": name}
        all_requests = interval.rate(requests, **where)
        held, limit = interval.gauge(entries, **where), interval.gauge(cache.ENTRIES_LIMIT.prometheus_name, **where)
        rows.append(
            (
                Cell(name),
                Cell(_rate(all_requests)),
                Cell(_share(_ratio(interval.rate(requests, result="hit", **where), all_requests))),
                Cell(_of(held, limit)),
                Cell(_rate(interval.rate(cache.EVICTIONS.prometheus_name, **where))),
                Cell(_quantile(interval, 0.5, cache.LOAD_DURATION.prometheus_name, **where)),
            )
        )
    return Section("caches", ("cache", "requests", "hits", "entries", "evictions", "load p50"), rows)


def _pools(interval: Interval) -> Section:
    resources, acquisitions = pool.RESOURCES.prometheus_name, pool.ACQUISITIONS.prometheus_name
    rows = []
    for name, kind in interval.identities(resources, "pool", "kind"):
        where = {"pool": name, "kind": kind}
        used = interval.gauge(resources, state="used", **where)
        limit = interval.gauge(pool.RESOURCES_LIMIT.prometheus_name, **where)
        saturation = _ratio(used, limit)
        waiting = interval.gauge(pool.PENDING_REQUESTS.prometheus_name, **where)
        acquired = interval.rate(acquisitions, **where)
        rows.append(
            (
                Cell(f"{name} ({kind})"),
                Cell(_of(used, limit)),
                Cell(_share(saturation), saturation is not None and saturation >= FULL),
                Cell(_count(waiting)),
                Cell(_quantile(interval, 0.99, pool.WAIT_DURATION.prometheus_name, **where)),
                Cell(_rate(acquired)),
                Cell(_share(_ratio(interval.rate(acquisitions, source="reused", **where), acquired))),
            )
        )
    heads = ("pool", "used", "saturation", "waiting", "wait p99", "acquired", "reused")
    return Section("pools", heads, rows)


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


# --- figures as text


def _rate(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}/s" if value >= 10 or value == int(value) else f"{value:.1f}/s"


def _quantile(interval: Interval, q: float, name: str, **where: str) -> str:
    """A quantile as text; under the first bucket's bound nothing is known but that, and so nothing else is shown."""
    value, finest = interval.quantile(q, name, **where), interval.finest(name, **where)
    if value is not None and finest is not None and value < finest:
        return f"< {_seconds(finest)}"
    return _seconds(value)


def _seconds(value: float | None) -> str:
    if value is None:
        return NONE
    if value >= 1:
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
