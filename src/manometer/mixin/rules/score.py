"""The score of a process: its dimensions from 0 to 1, and their weighted geometric mean."""

from manometer.mixin.promql import TARGET, both, by, either, over, select
from manometer.mixin.rules import cache, engine, meta, pool, queue, restarts, runtime
from manometer.mixin.rules.rule import Group, Record
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["DIMENSION", "KNOWN", "SCORE", "groups"]

DIMENSION = "job_instance:manometer_score_dimension:ratio"
SCORE = "job_instance:manometer_score:ratio"
KNOWN = "job_instance:manometer_score_known:ratio"
"""1 where the score rests on that dimension, 0 where there are no figures of it: for errors and latency."""
_WEIGHT = "manometer:score_weight:ratio"

_INTERVAL = Duration("120s")  # each dimension is of five minutes
_WORST = 0.01  # a dimension at 0 would make every score 0, whatever the others are
_UP_RATIO = 0.8  # a minute of five in which no scrape succeeds is as bad as counts
_TIMES_THE_LIMIT = 2  # of memory, which are as bad as counts


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of the score. A dimension that a process has no figures of drops out."""
    dimensions = _dimensions(config)
    weight = f"on (dimension) group_left () {_WEIGHT}"
    logs = by(TARGET, f"ln(clamp_min({DIMENSION}, {_WORST})) * {weight}")
    weights = by(TARGET, f"0 * {DIMENSION} + {weight}")
    return (
        Group(
            "score",
            (
                *(
                    Record(_WEIGHT, f"vector({config.score.weights[name]:g})", {"dimension": name})
                    for name in dimensions
                ),
                *(Record(DIMENSION, expr, {"dimension": name}) for name, expr in dimensions.items()),
                *(Record(KNOWN, _known(name), {"dimension": name}) for name in ("errors", "latency")),
                Record(SCORE, f"exp({logs}\n/ {weights})"),
            ),
            interval=_INTERVAL,
        ),
    )


def _dimensions(config: Thresholds) -> dict[str, str]:
    """Each 1 where nothing is wrong, 0 where it is as bad as counts; the worst stage, pool, queue, cache decides."""
    burning = config.engine.burning_ratio
    late = select(engine.SLOW_RATIO, engine.promised(config))
    roomy = config.pool.forecast_ratio
    errors = by(TARGET, f"{engine.ERROR_RATIO} and {engine.RUNS} > {config.engine.floor:g}", "max")
    latency = by(TARGET, f"{late} and {engine.RUNS} > {config.engine.floor:g}", "max")
    saturation = by(TARGET, either(pool.crowded(pool.SATURATION_5M), queue.SATURATION_5M), "max")
    hits = by(TARGET, f"{cache.HIT_RATIO} and {cache.LOOKUPS} > {config.cache.floor:g}", "min")
    limit = config.runtime.memory_bytes
    return {
        "availability": _availability(config),
        "errors": f"clamp_min(1 - {errors} / {burning}, 0)",
        "latency": f"1 - {latency}",
        "saturation": f"clamp_max((1 - {saturation}) / {round(1 - roomy, 9)}, 1)",
        "memory": f"clamp({_TIMES_THE_LIMIT} - {runtime.LARGEST} / {limit:.0f}, 0, 1)",
        "cache": f"clamp_max({hits} / {config.cache.hit_ratio:g}, 1)",
    }


def _availability(config: Thresholds) -> str:
    """How much of the last five minutes it could be scraped, less what restarts take away; a release needs one."""
    up = by(TARGET, both(over("avg", "up", "5m"), f"on (job, instance) {meta.KNOWN}"), "min")
    reached = f"clamp_min(({up} - {_UP_RATIO}) / {round(1 - _UP_RATIO, 9)}, 0)"
    beyond_one = f"({restarts.RESTARTS} - 1) / {max(config.runtime.restarts - 1, 1):g}"
    kept = f"clamp(1 - {beyond_one}, 0, 1)"
    return either(f"{reached}\n* {kept}", reached)


def _known(dimension: str) -> str:
    """Of every target with a score."""
    there = by(TARGET, select(DIMENSION, {"dimension": dimension}), "count")
    return either(there, f"0 * {by(TARGET, DIMENSION, 'count')}")
