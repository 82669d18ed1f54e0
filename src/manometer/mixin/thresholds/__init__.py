"""Every threshold, window and holding time of the rules and dashboards, with its default: a file a subject."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from manometer.errors import ConfigError
from manometer.mixin.thresholds.advice import Advice
from manometer.mixin.thresholds.analytics import Analytics
from manometer.mixin.thresholds.cache import Cache
from manometer.mixin.thresholds.duration import Duration
from manometer.mixin.thresholds.engine import Engine
from manometer.mixin.thresholds.narrowing import Narrowing
from manometer.mixin.thresholds.overlay import overlay
from manometer.mixin.thresholds.pool import Pool
from manometer.mixin.thresholds.queue import Queue
from manometer.mixin.thresholds.resilience import Resilience
from manometer.mixin.thresholds.runtime import Runtime
from manometer.mixin.thresholds.score import Score
from manometer.mixin.thresholds.timing import Timing, timings

__all__ = ["Duration", "Narrowing", "Thresholds", "Timing", "parse"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The whole configuration of the mixin.

    jobs: the scrape jobs that should have a target; whatever has shown Manometer's figures is watched anyway.
    runbooks: the URL of the folder of runbooks, for links in notifications; without it alerts name a page's path.
    interval: how often rules are evaluated; fast_interval: those that must notice within a minute or two.
    lookback: how far back a gauge still counts, so that one missed scrape does not start an alert's clock again.
    timing: holding times by alert.
    """

    jobs: tuple[str, ...] = ()
    runbooks: str = ""
    interval: Duration = field(default=Duration("30s"))
    fast_interval: Duration = field(default=Duration("15s"))
    lookback: Duration = field(default=Duration("1m"))
    cache: Cache = field(default_factory=Cache)
    pool: Pool = field(default_factory=Pool)
    queue: Queue = field(default_factory=Queue)
    engine: Engine = field(default_factory=Engine)
    resilience: Resilience = field(default_factory=Resilience)
    runtime: Runtime = field(default_factory=Runtime)
    analytics: Analytics = field(default_factory=Analytics)
    score: Score = field(default_factory=Score)
    advice: Advice = field(default_factory=Advice)
    dashboards: Narrowing = field(default_factory=Narrowing)
    timing: Mapping[str, Timing] = field(default_factory=timings)

    def __post_init__(self) -> None:
        if self.runbooks and not re.match(r"https?://[^/\s]", self.runbooks):
            raise ConfigError(
                f"runbooks is {self.runbooks!r}, which is no link in a notification; give a URL with http:// or https://"
            )
        for job in self.jobs:
            if not re.fullmatch(r"[\w.:/-]+", job):
                raise ConfigError(
                    f"job {job!r} holds more than letters, digits and . : / - _; give a job's plain name"
                )


def parse(values: object) -> Thresholds:
    """The defaults with these values in their place, as read from YAML; ConfigError names an unknown key."""
    return overlay(Thresholds(), {} if values is None else values, "")
