"""Recording rules and alerts: a file a subject, and all of them put together."""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

from manometer.mixin.rules import (
    advice,
    analytics,
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
    slo,
)
from manometer.mixin.rules.precedence import with_precedence
from manometer.mixin.rules.rule import Alert, Entry, Group
from manometer.mixin.slo.service import Service
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
        "analytics": analytics.groups,
        "advice": advice.groups,
        "meta": meta.groups,
    }
)
"""The rules of each subject, in the order in which they are documented."""


def alerts(config: Thresholds, services: Iterable[Service] = ()) -> list[Alert]:
    """Every alert, in the order of the subjects, and then those of the services."""
    return [rule for made in _groups(config, services).values() for group in made for rule in _alerts(group)]


def _alerts(group: Group) -> Iterable[Alert]:
    return (rule for rule in group.rules if isinstance(rule, Alert))


def _groups(config: Thresholds, services: Iterable[Service]) -> dict[str, tuple[Group, ...]]:
    groups = {name: with_precedence(made(config)) for name, made in SUBJECTS.items()}
    promised = slo.groups(config, services)
    return {**groups, "slo": promised} if promised else groups


def files(
    config: Thresholds, pages: Collection[str] | None = None, services: Iterable[Service] = ()
) -> dict[str, Entry]:
    """The content of each subject's rules file, and of that of the services.

    pages: the runbooks there are, or None where not at hand.
    """
    groups = _groups(config, services)
    every = [alert for made in groups.values() for group in made for alert in _alerts(group)]
    groups["meta"] += (meta.thresholds(every),)
    return {name: {"groups": [group.entry(config, pages) for group in made]} for name, made in groups.items()}
