"""Advice about the stages of engines: which of them a cache would spare."""

from collections.abc import Iterable

from manometer.catalogue import engine, label
from manometer.mixin.advice.advice import Advice
from manometer.mixin.advice.window import Keep, Window
from manometer.mixin.promql import TARGET, both, by, none_of
from manometer.mixin.thresholds import Thresholds

__all__ = ["advice"]

_ENGINE = (*TARGET, "engine.name")
_STAGE = (*_ENGINE, "engine.stage.name")


def advice(config: Thresholds, keep: Keep) -> Iterable[Advice]:
    """Of stages."""
    limits, window = config.advice, Window(config, _STAGE, keep)
    beyond = (*config.engine.waiting_stages, *limits.acting_stages)
    inner = {"engine.stage.name": none_of(beyond)} if beyond else {}
    ok = {"engine.stage.outcome": "ok"}
    time = window.kept(engine.STAGE_DURATION, "cacheable_rate", window.spent(engine.STAGE_DURATION, ok | inner))
    every = window.kept(engine.STAGE_DURATION, "busy_rate", window.spent(engine.STAGE_DURATION))
    engine_time = by(_ENGINE, every)
    whole = f"on ({', '.join(map(label, _ENGINE))}) group_left () "
    # The stage around the others takes as long as they do together: to cache it would be to cache the engine.
    around = f"{every} >= {whole}0.5 * {engine_time} < {whole}{engine_time}"
    yield Advice(
        *("StageWorthCaching", _STAGE, window.known(engine.STAGE_DURATION, inner)),
        expr=both(
            f"{config.cache.hit_ratio:g} * {time} > {limits.stage_ratio:g}",
            f"{window.mean(engine.STAGE_DURATION, ok)} > {limits.stage_seconds:g}",
            window.known(engine.STAGE_DURATION),
        )
        + f"\nunless ({around})",
        unit="s",
        fires=f"a stage's runs take over {limits.stage_seconds:g} s, and a cache that hits on"
        f" {config.cache.hit_ratio:.0%} would save over {limits.stage_ratio:.0%} of the time",
        found="stage {engine_name}/{engine_stage_name} takes much time, run after run",
        gain=f"of its time a second, where a cache hits on {config.cache.hit_ratio:.0%} of its runs",
        change="count how often its arguments come again; where they do, and give the same result each time, cache "
        "it: instrument_cache(name=...)(lru_cache(maxsize=...)(function))",
    )
