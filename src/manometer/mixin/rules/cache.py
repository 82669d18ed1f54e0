"""Rules of caches: what share of lookups hits, what that saves, and when it is too little."""

from manometer.catalogue import cache
from manometer.mixin.promql import TARGET, both, by, rate, ratio, select
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold
from manometer.mixin.thresholds import Thresholds

__all__ = ["HIT_RATIO", "LOOKUPS", "SAVED", "SPEED_UP", "groups"]

_CACHE = (*TARGET, "cache")

LOOKUPS = f"job_instance_cache:{cache.REQUESTS.family_name}:rate5m"
HIT_RATIO = f"job_instance_cache:{cache.REQUESTS.family_name}:hit_ratio_rate5m"
SAVED = f"job_instance_cache:{cache.LOAD_DURATION.prometheus_name}:saved_rate5m"
SPEED_UP = f"job_instance_cache:{cache.REQUESTS.family_name}:speedup_rate5m"


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of caches."""
    limits = config.cache
    hits = by(_CACHE, rate(select(cache.REQUESTS, result="hit")))
    misses = by(_CACHE, rate(select(cache.REQUESTS, result="miss")))
    # What a load costs changes slowly and a good cache loads seldom: an hour still knows when five minutes do not.
    loads = by(_CACHE, rate(select(cache.LOAD_DURATION, "_count", outcome="ok"), "1h"))
    loading = by(_CACHE, rate(select(cache.LOAD_DURATION, "_sum", outcome="ok"), "1h"))
    return (
        Group(
            "cache",
            (
                Record(LOOKUPS, by(_CACHE, rate(select(cache.REQUESTS)))),
                Record(HIT_RATIO, ratio(hits, LOOKUPS)),
                Record(SPEED_UP, f"{LOOKUPS} / ({misses} > 0)"),
                Record(SAVED, f"{hits}\n* ({loading}\n/ ({loads} > 0))"),
                Alert(
                    name="CacheHitRatioLow",
                    expr=both(f"{HIT_RATIO} < {limits.hit_ratio:g}", f"{LOOKUPS} > {limits.floor:g}"),
                    severity=Severity.WARNING,
                    fires=f"a cache with over {limits.floor:g} lookups/s hits on under {limits.hit_ratio:.0%}",
                    summary="Cache {{ $labels.cache }} of {{ $labels.job }} misses too often",
                    description="Cache {{ $labels.cache }} on {{ $labels.instance }} answers only {{ $value |"
                    " humanizePercentage }} of its lookups; each of the others pays for a load.",
                    threshold=Threshold(limits.hit_ratio),
                ),
            ),
        ),
    )
