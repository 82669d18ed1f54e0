"""Rules of caches: what share of lookups hits, what that saves, and when it is too little."""

from manometer.catalogue import cache
from manometer.mixin.histograms import amounts, events
from manometer.mixin.promql import TARGET, both, by, rate, ratio, recorded, select
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold, told
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["HIT_RATIO", "LOADS_AVOIDED", "LOOKUPS", "SAVED", "SPEED_UP", "groups"]

_CACHE = (*TARGET, "cache.name")

LOOKUPS = recorded(_CACHE, cache.REQUESTS, "rate5m")
_HITS = recorded(_CACHE, cache.REQUESTS, "hits_rate5m")
HIT_RATIO = recorded(_CACHE, cache.REQUESTS, "hit_ratio_rate5m")
_LOAD = recorded(_CACHE, cache.LOAD_DURATION, "mean_rate1h")
SAVED = recorded(_CACHE, cache.LOAD_DURATION, "saved_rate5m")
LOADS_AVOIDED = recorded(_CACHE, cache.REQUESTS, "loads_avoided_rate5m")
SPEED_UP = recorded(_CACHE, cache.LOAD_DURATION, "speedup_rate1h")
PREFETCH_USED = recorded(_CACHE, cache.PREFETCHES, "used_ratio_rate5m")
PREFETCH_AVOIDED = recorded(_CACHE, cache.PREFETCHES, "loads_avoided_rate5m")
PREFETCH_SAVED = recorded(_CACHE, cache.PREFETCHES, "saved_rate5m")

_HALF_AS_OFTEN = Duration("60s")  # for a ticket about a single cache
_SELDOM = Duration("120s")  # for what looks back at an hour of each cache, and for what no alert waits for


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of caches."""
    limits = config.cache
    hits = by(_CACHE, rate(select(cache.REQUESTS, {"cache.request.type": "hit"})))
    misses = by(_CACHE, rate(select(cache.REQUESTS, {"cache.request.type": "miss"})))
    # What a load costs changes slowly and a good cache loads seldom: an hour still knows when five minutes do not.
    loads = events(cache.LOAD_DURATION, _CACHE, {"cache.load.outcome": "ok"}, "1h")
    loading = amounts(cache.LOAD_DURATION, _CACHE, {"cache.load.outcome": "ok"}, "1h")
    timed = events(cache.HIT_DURATION, _CACHE, {}, "1h")
    hitting = amounts(cache.HIT_DURATION, _CACHE, {}, "1h")
    used = by(_CACHE, rate(select(cache.PREFETCHES, {"cache.prefetch.outcome": "used"})))
    ahead = by(_CACHE, rate(select(cache.PREFETCHES)))
    return (
        Group(
            "cache",
            (
                Record(LOOKUPS, by(_CACHE, rate(select(cache.REQUESTS)))),
                Record(_HITS, hits),
                Record(HIT_RATIO, ratio(_HITS, LOOKUPS)),
                Alert(
                    name="CacheHitRatioLow",
                    expr=both(f"{HIT_RATIO} < {limits.hit_ratio:g}", f"{LOOKUPS} > {limits.floor:g}"),
                    severity=Severity.WARNING,
                    fires=f"a cache with over {limits.floor:g} lookups/s hits on under {limits.hit_ratio:.0%}",
                    summary=f"Cache {told('cache.name')} of {told('job')} misses too often",
                    description=f"Cache {told('cache.name')} on {told('instance')} answers only {{{{ $value |"
                    " humanizePercentage }} of its lookups; each of the others pays for a load.",
                    threshold=Threshold(limits.hit_ratio),
                ),
            ),
            interval=_HALF_AS_OFTEN,
        ),
        Group(
            "cache-savings",
            (
                # For each load that is made, those that hits spare.
                Record(LOADS_AVOIDED, f"{_HITS} / ({misses} > 0)"),
                # What a lookup finds since it was loaded ahead spares it a load.
                Record(PREFETCH_AVOIDED, used),
                Record(PREFETCH_USED, f"({PREFETCH_AVOIDED} or 0 * {ahead})\n/ ({ahead} > 0)"),
                Record(_LOAD, f"{loading}\n/ ({loads} > 0)"),
                # The time of a miss over the time of a hit.
                Record(SPEED_UP, f"{_LOAD}\n/ ({hitting}\n/ ({timed} > 0))"),
                Record(SAVED, f"{_HITS} * {_LOAD}"),
                Record(PREFETCH_SAVED, f"{PREFETCH_AVOIDED} * {_LOAD}"),
            ),
            interval=_SELDOM,
        ),
    )
