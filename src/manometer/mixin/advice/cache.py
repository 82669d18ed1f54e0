"""Advice about caches: a larger one, a smaller one, none, and what is loaded ahead."""

from collections.abc import Iterable

from manometer.catalogue import cache
from manometer.mixin.advice.advice import Advice
from manometer.mixin.advice.window import Keep, Window
from manometer.mixin.promql import TARGET, both, by, select
from manometer.mixin.thresholds import Thresholds

__all__ = ["advice"]

_CACHE = (*TARGET, "cache.name")


def advice(config: Thresholds, keep: Keep) -> Iterable[Advice]:
    """Of caches."""
    limits, window = config.advice, Window(config, _CACHE, keep)
    lookups = window.kept(cache.REQUESTS, "rate", window.rate(cache.REQUESTS))
    hits = window.kept(cache.REQUESTS, "hits_rate", window.rate(cache.REQUESTS, {"cache.request.type": "hit"}))
    misses = window.kept(cache.REQUESTS, "misses_rate", window.rate(cache.REQUESTS, {"cache.request.type": "miss"}))
    known = window.kept(cache.REQUESTS, "enough", window.known(cache.REQUESTS))
    load = window.kept(
        cache.LOAD_DURATION, "cost_rate", window.mean(cache.LOAD_DURATION, {"cache.load.outcome": "ok"})
    )
    evicting = window.rate(cache.EVICTIONS, {"cache.eviction.cause": "capacity"})
    evicted = window.kept(cache.EVICTIONS, "capacity_rate", evicting)
    limit = by(_CACHE, select(cache.ENTRY_LIMIT), "max")
    peak = window.kept(cache.ENTRIES, "max", window.peak(cache.ENTRIES))
    useful = f"{hits} >= {limits.hit_ratio:g} * {lookups}"
    yield Advice(
        *("CacheTooSmall", _CACHE, known),
        # An eviction can cause one miss at most, and a miss has one cause.
        expr=both(
            f"({evicted}\n< {misses} or {misses}\n<= {evicted})\n* {load} > {limits.gain_ratio:g}", known, useful
        ),
        unit="s",
        fires=f"a cache loads for more than {limits.gain_ratio:.0%} of the time what it had to let go of before",
        found="cache {cache_name} lets go of entries that it then has to load again",
        gain="of loading a second, at most: each entry that made room may be one of those that were loaded again",
        change="raise its limit to twice what it is, where memory allows, and look again in a while",
        size=f"2 * {limit}",
    )
    yield Advice(
        *("CacheTooLarge", _CACHE, known),
        expr=both(f"{limit} - 2 * ({peak} > 0) > {limits.room_ratio:g} * {limit}", known),
        unit="",
        fires=f"over {limits.room_ratio:.0%} of a cache's limit is more than twice what it ever holds",
        found="cache {cache_name} never comes near its limit",
        gain="entries of room, or of weight, that a fault can no longer fill",
        change="lower its limit to twice the most that it held: it keeps every entry that it keeps now",
        size=f"2 * {peak}",
    )
    yield Advice(
        *("CacheUseless", _CACHE, known),
        expr=both(peak, known) + f"\nunless {useful}\nunless {hits} * {load} > {limits.gain_ratio:g}",
        unit="",
        fires=f"a cache answers under {limits.hit_ratio:.0%} of its lookups, and saves under"
        f" {limits.gain_ratio:.0%} of the time",
        found="cache {cache_name} answers next to none of its lookups",
        gain="entries, or weight, that need not be kept",
        change="do without it; where its keys do come again, but later than it keeps them, raise its limit or its "
        "time to live",
    )
    unused = window.rate(cache.PREFETCHES, {"cache.prefetch.outcome": "=~unused|failed"})
    ahead = window.known(cache.PREFETCHES)
    used = window.rate(cache.PREFETCHES, {"cache.prefetch.outcome": "used"})
    yield Advice(
        *("PrefetchUseless", _CACHE, ahead),
        expr=both(f"{unused} * {load} > {limits.gain_ratio:g}", ahead)
        + f"\nunless {used} >= {limits.used_ratio:g} * {window.rate(cache.PREFETCHES)}",
        unit="s",
        fires=f"lookups use under {limits.used_ratio:.0%} of what is loaded ahead, and the rest takes over"
        f" {limits.gain_ratio:.0%} of the time",
        found="most of what cache {cache_name} loads ahead is not used",
        gain="of loading a second that helps nobody",
        change="load less ahead where entries leave unused; where they come too late, begin sooner; where neither "
        "helps, load none",
    )
