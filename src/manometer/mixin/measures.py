"""Measures: what a service can promise of itself, and the query that finds out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from manometer.catalogue import MetricSpec, cache, engine, health, pool, process
from manometer.mixin.histograms import amounts, events, quantile
from manometer.mixin.promql import TARGET, by, over, rate, ratio, select
from manometer.mixin.thresholds import Duration

__all__ = ["MEASURES", "Measure", "peak"]

Matchers = Mapping[str, str]

_STAGE = (*TARGET, "engine.name", "engine.stage.name")
_CACHE = (*TARGET, "cache.name")
_POOL = (*TARGET, "pool.name", "pool.kind")
_CHECK = (*TARGET, "health.check.name")


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing to promise.

    unit: `s`, `By`, `1` for a ratio, or a noun in braces. of: the attributes and labels that tell its series apart.
    query: given matchers of these and a window in Prometheus's notation, the expression.
    """

    unit: str
    of: tuple[str, ...]
    help: str
    query: Callable[[Matchers, str], str]


def peak(query: str, past: str) -> str:
    """The greatest value that the expression has had, as far back as that, by a look every 5 seconds."""
    return f"max_over_time(({query})[{past}:5s])"


def _mean(histogram: MetricSpec, labels: tuple[str, ...], matchers: Matchers, window: str) -> str:
    """The mean of the events of a histogram; nothing where there were none."""
    return f"{amounts(histogram, labels, matchers, window)}\n/ ({events(histogram, labels, matchers, window)} > 0)"


def _share(counter: MetricSpec, labels: Iterable[str], value: Matchers, matchers: Matchers, window: str) -> str:
    """The share of a counter's events that have that value."""
    kept = tuple(labels)
    part, whole = (by(kept, rate(select(counter, {**matchers, **each}), window)) for each in (value, {}))
    return ratio(part, whole)


def _stage_errors(where: Matchers, window: str) -> str:
    failed, runs = (
        events(engine.STAGE_DURATION, _STAGE, {**where, **each}, window)
        for each in ({"engine.stage.outcome": "error"}, {})
    )
    return ratio(failed, runs)


def _busy(where: Matchers, window: str) -> str:
    """Seconds in use over the seconds that there were. A use counts when it ends."""
    using = amounts(pool.USE_DURATION, _POOL, where, window)
    limit = by(_POOL, over("max", select(pool.RESOURCE_LIMIT, where), window), "max")
    return f"{using}\n/ ({limit} > 0)"


def _scrape_interval(where: Matchers, window: str) -> str:
    return f"{Duration(window).seconds} / {over('count', select('up', where), window)}"


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "stage_mean_seconds": Measure(
            *("s", _STAGE, "mean time of a stage's runs"),
            lambda where, window: _mean(engine.STAGE_DURATION, _STAGE, where, window),
        ),
        "stage_p50_seconds": Measure(
            *("s", _STAGE, "median time of a stage's runs"),
            lambda where, window: quantile(0.5, engine.STAGE_DURATION, _STAGE, where, window),
        ),
        "stage_p99_seconds": Measure(
            *("s", _STAGE, "time that 99 of 100 runs of a stage keep to"),
            lambda where, window: quantile(0.99, engine.STAGE_DURATION, _STAGE, where, window),
        ),
        "stage_runs_per_second": Measure(
            *("{run}", _STAGE, "runs of a stage that end in a second"),
            lambda where, window: events(engine.STAGE_DURATION, _STAGE, where, window),
        ),
        "stage_error_ratio": Measure("1", _STAGE, "share of a stage's runs that fail", _stage_errors),
        "cache_hit_ratio": Measure(
            *("1", _CACHE, "share of lookups that the cache answers"),
            lambda where, window: _share(cache.REQUESTS, _CACHE, {"cache.request.type": "hit"}, where, window),
        ),
        "cache_lookups_per_second": Measure(
            *("{lookup}", _CACHE, "lookups in the cache in a second"),
            lambda where, window: by(_CACHE, rate(select(cache.REQUESTS, where), window)),
        ),
        "cache_load_seconds": Measure(
            *("s", _CACHE, "mean time to load a missing value"),
            lambda where, window: _mean(cache.LOAD_DURATION, _CACHE, where, window),
        ),
        "cache_hit_seconds": Measure(
            *("s", _CACHE, "mean time of a lookup that hits"),
            lambda where, window: _mean(cache.HIT_DURATION, _CACHE, where, window),
        ),
        "cache_speed_up": Measure(
            *("{time}", _CACHE, "time of a miss over the time of a hit"),
            lambda where, window: (
                f"({_mean(cache.LOAD_DURATION, _CACHE, where, window)})\n"
                f"/ ({_mean(cache.HIT_DURATION, _CACHE, where, window)})"
            ),
        ),
        "prefetch_used_ratio": Measure(
            *("1", _CACHE, "share of entries loaded ahead that a lookup used"),
            lambda where, window: _share(cache.PREFETCHES, _CACHE, {"cache.prefetch.outcome": "used"}, where, window),
        ),
        "pool_reuse_ratio": Measure(
            *("1", _POOL, "share of resources handed out that were there already"),
            lambda where, window: _share(
                pool.ACQUISITIONS, _POOL, {"pool.acquisition.source": "reused"}, where, window
            ),
        ),
        "pool_busy_ratio": Measure("1", _POOL, "time in use of the pool's resources, over the time there was", _busy),
        "pool_wait_p99_seconds": Measure(
            *("s", _POOL, "wait for a resource that 99 of 100 requests keep to"),
            lambda where, window: quantile(0.99, pool.WAIT_DURATION, _POOL, where, window),
        ),
        "memory_bytes": Measure(
            *("By", TARGET, "the most memory that a process held"),
            lambda where, window: by(TARGET, over("max", select(process.MEMORY_USAGE, where), window), "max"),
        ),
        "cpu_cores": Measure(
            *("{core}", TARGET, "processors' time that a target takes in a second"),
            lambda where, window: by(TARGET, rate(select(process.CPU_TIME, where), window)),
        ),
        "health_up": Measure(
            *("1", _CHECK, "1 where a health check passed all the time"),
            lambda where, window: by(_CHECK, over("min", select(health.UP, where), window), "min"),
        ),
        "health_age_seconds": Measure(
            *("s", _CHECK, "the longest time since a health check had ended"),
            lambda where, window: by(_CHECK, over("max", select(health.AGE, where), window), "max"),
        ),
        "up_ratio": Measure(
            *("1", TARGET, "share of scrapes that reached the target"),
            lambda where, window: over("avg", select("up", where), window),
        ),
        "scrape_interval_seconds": Measure(
            *("s", TARGET, "mean time between two scrapes of the target"), _scrape_interval
        ),
        "figures": Measure(
            *("{figure}", TARGET, "figures that a scrape of the target brings"),
            lambda where, window: over("min", select("scrape_samples_scraped", where), window),
        ),
    }
)
"""Every measure by the name that a file of promises has for it."""
