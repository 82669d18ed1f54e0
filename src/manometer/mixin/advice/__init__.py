"""Advice: what would pay to change, each with the query that finds it, the gain to expect, and what to do.

One table, which the rules make alerts of and `manometer advise` evaluates. The queries of the command read what
programs show, and nothing recorded: they can be asked of a Prometheus that has none of the rules. The rules record
what several of their queries read, so that it is reckoned once.
"""

from manometer.mixin.advice import cache, engine, pool, runtime
from manometer.mixin.advice.advice import Advice
from manometer.mixin.advice.window import Keep, inline
from manometer.mixin.thresholds import Thresholds

__all__ = ["Advice", "table"]


def table(config: Thresholds, keep: Keep = inline) -> tuple[Advice, ...]:
    """All the advice that there is. keep: what becomes of an expression that is read more than once."""
    return tuple(each for subject in (cache, pool, engine, runtime) for each in subject.advice(config, keep))
