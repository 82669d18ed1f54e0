"""Advice: what would pay to change, each with the query that finds it, the gain to expect, and what to do.

One table, which the rules make alerts of and `manometer advise` evaluates. The queries read what programs show, and
nothing recorded: they can be asked of a Prometheus that has none of the rules.
"""

from manometer.mixin.advice import cache, engine, pool, runtime
from manometer.mixin.advice.advice import Advice
from manometer.mixin.thresholds import Thresholds

__all__ = ["Advice", "table"]


def table(config: Thresholds) -> tuple[Advice, ...]:
    """All the advice that there is."""
    return (*cache.advice(config), *pool.advice(config), *engine.advice(config), *runtime.advice(config))
