"""Caches: how often they answer, and what that saves."""

from manometer.catalogue import cache
from manometer.mixin.dashboards.panel import RATE, Panel, Query, Variable, alert_line, chosen, shown, worst_from
from manometer.mixin.promql import by, rate, ratio
from manometer.mixin.rules import cache as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["CHOICE", "panels"]

CHOICE = Variable("cache", "cache.name", "Cache", chosen(cache.REQUESTS), "Caches of the targets.")

_CHOSEN = {"cache.name": "=~$cache"}
_A_CACHE = shown("cache.name")


def panels(config: Thresholds) -> tuple[Panel, ...]:
    """Hits, and the time that they save."""
    lookups = by(("cache.name",), rate(chosen(cache.REQUESTS, _CHOSEN), RATE))
    hits = by(("cache.name",), rate(chosen(cache.REQUESTS, {"cache.request.type": "hit", **_CHOSEN}), RATE))
    return (
        Panel(
            "Cache hit ratio",
            "Share of lookups that the cache answered. A fall after a deployment is a cold cache and passes; one that"
            " stays means that the cache is too small, expires too early, or is asked for other keys.",
            "percentunit",
            (Query(ratio(hits, lookups), _A_CACHE), alert_line("CacheHitRatioLow", "ratio")),
            steps=worst_from(config.cache.hit_ratio, low=True),
            top=1,
        ),
        Panel(
            "Time saved by caches",
            "Seconds of loading that hits save each second: hits times what a load costs. A cache at the bottom is"
            " hardly worth its memory.",
            "s",
            (Query(by(("cache.name",), chosen(rules.SAVED, _CHOSEN)), _A_CACHE),),
        ),
    )
