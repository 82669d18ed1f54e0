"""Recording rules and alerts: a file a subject, and all of them put together."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from manometer.mixin.rules import (
    advice,
    cache,
    engine,
    health,
    meta,
    pool,
    queue,
    resilience,
    restarts,
    runtime,
    score,
)
from manometer.mixin.rules.precedence import with_precedence
from manometer.mixin.rules.rule import Alert, Entry, Group
from manometer.mixin.thresholds import Thresholds

__all__ = ["SUBJECTS", "alerts", "files"]

SUBJECTS: Mapping[str, Callable[[Thresholds], tuple[Group, ...]]] = MappingProxyType(
    {
        "cache": cache.groups,
        "pool": pool.groups,
        "queue": queue.groups,
        "engine": engine.groups,
        "resilience": resilience.groups,
        "runtime": runtime.groups,
        "restarts": restarts.groups,
        "health": health.groups,
        "score": score.groups,
        "advice": advice.groups,
        "meta": meta.groups,
    }
)
"""The rules of each subject, in the order in which they are documented."""


def alerts(config: Thresholds) -> list[Alert]:
    """Every alert, in the order of the subjects."""
    return [
        rule
        for groups in SUBJECTS.values()
        for group in groups(config)
        for rule in group.rules
        if isinstance(rule, Alert)
    ]


def files(config: Thresholds, pages: Collection[str] | None = None) -> dict[str, Entry]:
    """The content of each subject's rules file. pages: the runbooks there are, or None where not at hand."""
    groups = {name: with_precedence(made(config)) for name, made in SUBJECTS.items()}
    groups["meta"] += (meta.thresholds(alerts(config)),)
    return {name: {"groups": [group.entry(config, pages) for group in made]} for name, made in groups.items()}
