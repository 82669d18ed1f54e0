"""The score of a process: four dimensions from 0 to 1, and their weighted geometric mean."""

from manometer.mixin.promql import TARGET, by, either, select
from manometer.mixin.rules import cache, engine, pool, queue
from manometer.mixin.rules.rule import Group, Record
from manometer.mixin.thresholds import Thresholds

__all__ = ["DIMENSION", "SCORE", "groups"]

DIMENSION = "job_instance:manometer_score_dimension:ratio"
SCORE = "job_instance:manometer_score:ratio"
_WEIGHT = "manometer:score_weight:ratio"

_WORST = 0.01  # a dimension at 0 would make every score 0, whatever the others are


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
                Record(SCORE, f"exp({logs}\n/ {weights})"),
            ),
        ),
    )


def _dimensions(config: Thresholds) -> dict[str, str]:
    """Each 1 where nothing is wrong, 0 where it is as bad as counts; the worst stage, pool, queue, cache decides."""
    burning = round(14.4 * config.engine.budget_ratio, 9)
    late = select(engine.SLOW_RATIO, engine.promised(config))
    roomy = config.pool.forecast_ratio
    errors = by(TARGET, f"{engine.ERROR_RATIO} and {engine.RUNS} > {config.engine.floor:g}", "max")
    latency = by(TARGET, f"{late} and {engine.RUNS} > {config.engine.floor:g}", "max")
    saturation = by(TARGET, either(pool.crowded(pool.SATURATION_5M), queue.SATURATION_5M), "max")
    hits = by(TARGET, f"{cache.HIT_RATIO} and {cache.LOOKUPS} > {config.cache.floor:g}", "min")
    return {
        "errors": f"clamp_min(1 - {errors} / {burning}, 0)",
        "latency": f"1 - {latency}",
        "saturation": f"clamp_max((1 - {saturation}) / {round(1 - roomy, 9)}, 1)",
        "cache": f"clamp_max({hits} / {config.cache.hit_ratio:g}, 1)",
    }
