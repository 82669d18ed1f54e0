"""Caches: how often they answer, what that saves, and what they hold and let go."""

from manometer.catalogue import cache
from manometer.mixin.dashboards.meaning import BAD, GOOD, RED_FROM_ANY, WORRY, worst_from
from manometer.mixin.dashboards.panel import (
    PRESSURE,
    SINCE,
    WELL,
    Bars,
    Column,
    Dashboard,
    Graph,
    Heatmap,
    Key,
    Panel,
    Query,
    Row,
    Table,
    Variable,
)
from manometer.mixin.dashboards.query import alert_line, chosen, heat, per_second, quantile, shown
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import by, ratio
from manometer.mixin.rules import cache as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["CHOICE", "dashboard", "hit_ratio"]

CHOICE = Variable("cache", "cache.name", "Cache", chosen(cache.REQUESTS), "Caches of the targets.")

_CACHE = ("cache.name",)
_CHOSEN = {"cache.name": "=~$cache"}
_A_CACHE = shown("cache.name")
_LOADED = {"cache.load.outcome": "ok", **_CHOSEN}


def dashboard(config: Thresholds) -> Dashboard:
    """What the caches save, and why they miss."""
    return board(
        "cache",
        "Caches",
        "How often the caches answer, what that saves, and why they miss.",
        (
            Row(WELL, (hit_ratio(config), _full(), _saved(), _caches(config))),
            Row(PRESSURE, (_loads(), _load_time(), _failed_loads(), _evictions())),
            Row(SINCE, (_lookups(), _hit_time(), _entries(), _prefetches())),
        ),
        (CHOICE,),
    )


def hit_ratio(config: Thresholds) -> Graph:
    """The share of lookups that hit."""
    return Graph(
        "Cache hit ratio",
        "Share of lookups that the cache answered. A fall after a deployment is a cold cache and passes; one that"
        " stays means that the cache is too small, expires too early, or is asked for other keys.",
        "percentunit",
        (Query(_hit_ratio(), _A_CACHE), alert_line("CacheHitRatioLow", "ratio")),
        steps=worst_from(config.cache.hit_ratio, low=True),
        top=1,
    )


def _hit_ratio() -> str:
    hits = per_second(cache.REQUESTS, _CACHE, {"cache.request.type": "hit", **_CHOSEN})
    return ratio(hits, per_second(cache.REQUESTS, _CACHE, _CHOSEN))


def _fill() -> str:
    entries, limit = (by(_CACHE, chosen(row, _CHOSEN)) for row in (cache.ENTRIES, cache.ENTRY_LIMIT))
    return f"{entries}\n/ ({limit} > 0)"


def _full() -> Bars:
    return Bars(
        "How full each cache is",
        "Entries over the most that the cache takes. A full cache is as it should be; one that is full and misses"
        " often is too small, and one that is far from full could give memory back.",
        "percentunit",
        (Query(_fill(), _A_CACHE),),
        top=1,
    )


def _saved() -> Graph:
    return Graph(
        "Time saved by caches",
        "Seconds of loading that hits save each second: hits times what a load costs. A cache at the bottom is"
        " hardly worth its memory.",
        "s",
        (Query(by(_CACHE, chosen(rules.SAVED, _CHOSEN)), _A_CACHE),),
    )


def _caches(config: Thresholds) -> Panel:
    loads = per_second(cache.LOAD_DURATION, _CACHE, _LOADED, "_count")
    loading = per_second(cache.LOAD_DURATION, _CACHE, _LOADED, "_sum")
    entries = by(_CACHE, chosen(cache.ENTRIES, _CHOSEN))
    return Table(
        "Caches",
        "Each cache in one line. Sort by time saved to find those that earn their memory, by hit ratio to find those"
        " that do not, and by evictions to find those that are too small.",
        "none",
        (
            Column(per_second(cache.REQUESTS, _CACHE, _CHOSEN), "Lookups/s", unit="ops"),
            Column(_hit_ratio(), "Hit ratio", unit="percentunit", steps=worst_from(config.cache.hit_ratio, low=True)),
            Column(by(_CACHE, chosen(rules.SAVED, _CHOSEN)), "Saved/s", unit="s"),
            Column(f"{loading}\n/ ({loads} > 0)", "Mean load", unit="s"),
            Column(entries, "Entries", unit="short"),
            Column(_fill(), "Full", unit="percentunit"),
            Column(per_second(cache.EVICTIONS, _CACHE, _CHOSEN), "Evictions/s", unit="ops"),
        ),
        width=24,
        keys=(Key("cache.name", "Cache"),),
        sort="Saved/s",
    )


def _loads() -> Heatmap:
    return Heatmap(
        "Durations of loads",
        "How long the loads of missing entries took. Two bands are two kinds of load, such as near and far; a band"
        " that climbs is a source that slows down, which every miss waits for.",
        "s",
        (heat(cache.LOAD_DURATION, _CHOSEN),),
        width=12,
    )


def _load_time() -> Graph:
    return Graph(
        "Time of a load",
        "How long half of the loads take at most (p50), and all but one in a hundred (p99): what a miss costs and a"
        " hit saves. Where it is near the time of a lookup, the cache does not pay.",
        "s",
        (
            quantile(0.5, cache.LOAD_DURATION, _CACHE, f"{_A_CACHE} p50", _LOADED),
            quantile(0.99, cache.LOAD_DURATION, _CACHE, f"{_A_CACHE} p99", _LOADED),
        ),
        width=12,
    )


def _hit_time() -> Graph:
    seconds, hits = (per_second(cache.HIT_DURATION, _CACHE, _CHOSEN, part) for part in ("_sum", "_count"))
    return Graph(
        "Time of a hit",
        "Mean time of a lookup that hits, of one lookup in 1,024: a cache that is asked seldom has gaps. The time of"
        " a load over this one is how much faster the cache makes what it answers. One that climbs is a lock that"
        " lookups wait for, or a processor that others take.",
        "s",
        (Query(f"{seconds}\n/ ({hits} > 0)", _A_CACHE),),
    )


def _failed_loads() -> Graph:
    failed = per_second(cache.LOAD_DURATION, _CACHE, {"cache.load.outcome": "error", **_CHOSEN}, "_count")
    return Graph(
        "Failed loads",
        "Loads a second that an exception ended. The caller got the exception, and the next lookup tries again: look"
        " at what stands behind the cache.",
        "ops",
        (Query(failed, _A_CACHE),),
        steps=RED_FROM_ANY,
        width=12,
    )


def _evictions() -> Graph:
    legend = f"{_A_CACHE} {shown('cache.eviction.cause')}"
    causes = (*_CACHE, "cache.eviction.cause")
    return Graph(
        "Evictions by cause",
        "Entries a second that left each cache. By capacity: it is too small for what is asked of it; enlarge it if"
        " the hit ratio is low. Expired: they were too old, which is as configured. Cleared: somebody emptied it.",
        "ops",
        (Query(per_second(cache.EVICTIONS, causes, _CHOSEN), legend),),
        width=12,
    )


def _lookups() -> Graph:
    legend = f"{_A_CACHE} {shown('cache.request.type')}"
    return Graph(
        "Lookups",
        "Hits and misses of each cache a second. Misses that rise with the hits are more traffic; misses that rise"
        " alone are a cold cache, a smaller one, or other keys.",
        "ops",
        (Query(per_second(cache.REQUESTS, (*_CACHE, "cache.request.type"), _CHOSEN), legend),),
    )


def _entries() -> Graph:
    return Graph(
        "Entries",
        "What each cache holds, and the most that it takes. A fall to nothing is a restart or a clearing: see the"
        " evictions, and the blue marks of restarts.",
        "short",
        (
            Query(by(_CACHE, chosen(cache.ENTRIES, _CHOSEN)), _A_CACHE),
            Query(by(_CACHE, chosen(cache.ENTRY_LIMIT, _CHOSEN)), f"{_A_CACHE} limit", limit=True),
        ),
    )


def _prefetches() -> Graph:
    def became(outcome: str, color: str) -> Query:
        row = per_second(cache.PREFETCHES, _CACHE, {"cache.prefetch.outcome": outcome, **_CHOSEN})
        return Query(row, f"{_A_CACHE} {outcome}", color=color)

    return Graph(
        "Prefetches",
        "Entries a second that were loaded ahead of demand, by what became of them. Unused ones cost loads and room"
        " for nothing: fetch less far ahead. Late ones were asked for before they were there: begin earlier. Failed"
        " ones raised: look at what stands behind the cache.",
        "ops",
        (became("used", GOOD), became("late", WORRY), became("unused", BAD), became("failed", BAD)),
    )
