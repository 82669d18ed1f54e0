"""Every threshold, window and holding time of the rules and dashboards, with the project's defaults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, Self, TypeVar, cast

from manometer.catalogue import MetricSpec, engine, pool
from manometer.errors import ConfigError

__all__ = [
    "Cache",
    "Duration",
    "Engine",
    "Narrowing",
    "Pool",
    "Queue",
    "Resilience",
    "Runtime",
    "Score",
    "Thresholds",
    "Timing",
    "parse",
]

T = TypeVar("T")

_WEIGHTS = MappingProxyType(
    {"availability": 0.25, "errors": 0.25, "latency": 0.2, "saturation": 0.15, "memory": 0.1, "cache": 0.05}
)
_GRADES = MappingProxyType(
    dict(
        zip(
            ("A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D", "F"),
            (0.97, 0.93, 0.9, 0.87, 0.83, 0.8, 0.77, 0.73, 0.7, 0.6, 0.0),
            strict=True,
        )
    )
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(str):
    """A length of time in Prometheus's notation, one number and one unit: `30s`, `5m`, `1h`, `3d`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not re.fullmatch(r"\d+[smhd]", text):
            raise ConfigError(
                f"duration {text!r} is not understood; write one number and one unit, such as 30s or 5m"
            )
        return super().__new__(cls, text)

    @property
    def seconds(self) -> int:
        """The same in seconds."""
        return int(self[:-1]) * _SECONDS[self[-1]]


@dataclass(frozen=True, slots=True)
class Cache:
    """When a cache misses too often.

    hit_ratio: the least share of lookups that should hit; floor: lookups a second below which nobody is alerted.
    """

    hit_ratio: float = 0.8
    floor: float = 1.0


@dataclass(frozen=True, slots=True)
class Pool:
    """When a pool is full, about to be, or keeps its callers waiting.

    saturation_ratio: used over limit, on five minutes' average, at which a pool counts as full.
    wait_seconds, wait_ratio: the wait, a bucket bound, that at most this share of requests may exceed.
    floor: requests a second below which waits alert nobody. refusals: time-outs and rejections in five minutes.
    forecast_*: the past that a trend is drawn from, how far ahead it is read, the saturation that it must have
    reached already, and the least r-squared at which it is believed.
    """

    saturation_ratio: float = 0.9
    wait_seconds: float = 0.25
    wait_ratio: float = 0.05
    floor: float = 0.1
    refusals: float = 2.0
    forecast_range: Duration = field(default=Duration("1h"))
    forecast_horizon: Duration = field(default=Duration("30m"))
    forecast_ratio: float = 0.6
    forecast_fit_ratio: float = 0.7

    def __post_init__(self) -> None:
        _on_a_bound("pool.wait_seconds", self.wait_seconds, pool.WAIT_DURATION)


@dataclass(frozen=True, slots=True)
class Queue:
    """When a queue is nearly full, keeps its items waiting, or turns them away.

    saturation_ratio: items over limit, on five minutes' average, at which a queue counts as full.
    wait_seconds: the mean wait past which its items wait too long. refusals: how many may come in `refusals_window`.
    """

    saturation_ratio: float = 0.8
    wait_seconds: float = 10.0
    refusals: float = 2.0
    refusals_window: Duration = field(default=Duration("1m"))


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine's stages promise.

    objective_ratio: share of runs that should succeed; its complement is the error budget.
    latency_seconds, slow_ratio: the time, a bucket bound, that at most this share of runs may exceed.
    waiting_stages, waiting_seconds: stages that wait for a person, of which no latency is promised; the wait, a
    bucket bound, past which an answer is overdue; overdue: how many of those may come in five minutes.
    stuck_seconds: the mean time in any stage, over `stuck_window`, past which its runs count as stuck.
    floor: runs a second below which errors and latency alert nobody.
    """

    objective_ratio: float = 0.99
    latency_seconds: float = 0.25
    slow_ratio: float = 0.05
    waiting_stages: tuple[str, ...] = ("seek_approval",)
    waiting_seconds: float = 1.0
    overdue: float = 2.0
    stuck_seconds: float = 60.0
    stuck_window: Duration = field(default=Duration("5m"))
    floor: float = 0.1

    def __post_init__(self) -> None:
        _on_a_bound("engine.latency_seconds", self.latency_seconds, engine.STAGE_DURATION)
        _on_a_bound("engine.waiting_seconds", self.waiting_seconds, engine.STAGE_DURATION)
        if 14.4 * self.budget_ratio >= 1:
            raise ConfigError(
                f"engine.objective_ratio is {self.objective_ratio}; "
                "below 0.9306 the fast burn rate of 14.4 can never be reached, so choose a higher one"
            )

    @property
    def budget_ratio(self) -> float:
        """Share of runs that may fail."""
        return round(1 - self.objective_ratio, 9)


@dataclass(frozen=True, slots=True)
class Resilience:
    """exhausted_ratio: share of retried operations that may fail for good; floor: operations a second below which
    nobody is alerted.
    """

    exhausted_ratio: float = 0.05
    floor: float = 0.02


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process may take.

    memory_bytes: resident; cpu_cores: processor time a second; leak_ratio: growth of the memory floor an hour;
    leak_age: how long the process must be up before growth counts as a leak; lag_ratio: share of the time that an
    event loop may run behind; restarts: how many starts again in ten minutes are too many.
    """

    memory_bytes: float = 200_000_000
    cpu_cores: float = 0.8
    leak_ratio: float = 0.02
    leak_age: Duration = field(default=Duration("3h"))
    lag_ratio: float = 0.1
    restarts: float = 3.0


@dataclass(frozen=True, slots=True)
class Score:
    """Weights of the score's dimensions, and the least score of each grade, best first."""

    weights: Mapping[str, float] = field(default_factory=lambda: _WEIGHTS)
    grades: Mapping[str, float] = field(default_factory=lambda: _GRADES)

    def __post_init__(self) -> None:
        floors = list(self.grades.values())
        if floors != sorted(floors, reverse=True) or floors[-1] != 0:
            raise ConfigError("score.grades must fall from the best to the worst and end at 0")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which series the dashboards show, beside the choice of job and instance.

    cluster_label: the label that tells clusters apart, which becomes a choice; empty where there is one cluster.
    matchers: in every selector, such as `env="production",team="orders"`; they have to be labels of all series, those
    of rules and alerts too, as Prometheus's `external_labels` are after a remote write.
    """

    cluster_label: str = ""
    matchers: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([a-zA-Z_]\w*)?", self.cluster_label):
            raise ConfigError(f"dashboards.cluster_label is {self.cluster_label!r}; it takes the name of a label")
        matcher = r'[a-zA-Z_]\w*(=|!=|=~|!~)"([^"\\]|\\.)*"'
        if not re.fullmatch(rf"({matcher}(,{matcher})*)?", self.matchers):
            raise ConfigError(
                f'dashboards.matchers is {self.matchers!r}; it takes what a selector holds, such as env="production"'
            )


@dataclass(frozen=True, slots=True)
class Timing:
    """hold: how long a condition must last before its alert fires (Prometheus's `for`); keep: `keep_firing_for`."""

    hold: Duration
    keep: Duration = field(default=Duration("0s"))


def _timings() -> Mapping[str, Timing]:
    def after(hold: str, keep: str = "0s") -> Timing:
        return Timing(Duration(hold), Duration(keep))

    return MappingProxyType(
        {
            "BreakerOpen": after("1m"),
            "CacheHitRatioLow": after("2m", keep="2m"),
            "CollectorFailing": after("2m", keep="5m"),
            "CrashLooping.program": after("0s", keep="5m"),
            "CrashLooping.workers": after("0s", keep="5m"),
            "CpuHigh": after("5m", keep="2m"),
            "EngineErrorBudgetBurn.fast": after("2m", keep="2m"),
            "EngineErrorBudgetBurn.slow": after("15m", keep="15m"),
            "EngineLatencyHigh": after("2m", keep="2m"),
            "EventLoopLagHigh": after("1m", keep="2m"),
            "HealthCheckFailing": after("1m"),
            "InfoInhibitor": after("0s"),
            "LabelValuesFolded": after("5m", keep="15m"),
            "MemoryHigh": after("2m", keep="2m"),
            "MemoryLeak": after("15m", keep="15m"),
            "PoolExhaustionForecast": after("5m", keep="5m"),
            "PoolSaturated": after("2m", keep="2m"),
            "PoolTimeouts": after("1m", keep="2m"),
            "PoolWaitHigh": after("2m", keep="2m"),
            "QueueRefusals": after("1m"),
            "QueueSaturated": after("2m", keep="2m"),
            "QueueWaitHigh": after("2m", keep="2m"),
            "RetriesExhausted": after("2m", keep="2m"),
            "SettingsRefused": after("5m"),
            "StageStuck": after("1m"),
            "TargetDown": after("1m"),
            "Watchdog": after("0s"),
            "WebConfigRefused": after("5m"),
        }
    )


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
    score: Score = field(default_factory=Score)
    dashboards: Narrowing = field(default_factory=Narrowing)
    timing: Mapping[str, Timing] = field(default_factory=_timings)

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
    return _overlay(Thresholds(), {} if values is None else values, "")


def _overlay(default: T, value: object, path: str) -> T:
    """`value` in the shape and type of `default`, with the default's parts where it says nothing."""
    if is_dataclass(default):
        parts = {row.name: getattr(default, row.name) for row in fields(default)}
        return cast(T, replace(cast(Any, default), **_parts(parts, value, path)))
    if isinstance(default, Mapping):
        return cast(T, MappingProxyType({**default, **_parts(default, value, path)}))
    if isinstance(default, Duration):
        return cast(T, Duration(str(value)))
    if isinstance(default, float | int):
        if isinstance(value, bool) or not isinstance(value, float | int):
            raise ConfigError(f"{path} is {value!r}; it takes a number")
        if value < 0 or (path.endswith("_ratio") and value > 1):
            raise ConfigError(
                f"{path} is {value}; it takes a number from 0{' to 1' if path.endswith('_ratio') else ''}"
            )
        return cast(T, value)
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ConfigError(f"{path} is {value!r}; it takes a list of names")
        return cast(T, tuple(value))
    if not isinstance(value, str):
        raise ConfigError(f"{path} is {value!r}; it takes text")
    return cast(T, value)


def _parts(defaults: Mapping[str, Any], values: object, path: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path or 'the configuration'} is {values!r}; it takes keys: {', '.join(defaults)}")
    parts = {}
    for key, value in values.items():
        where = f"{path}.{key}" if path else str(key)
        if key not in defaults:
            raise ConfigError(f"unknown key {where!r}; there are {', '.join(defaults)}")
        parts[key] = _overlay(defaults[key], value, where)
    return parts


def _on_a_bound(key: str, seconds: float, histogram: MetricSpec) -> None:
    """A share of slow events can be read off a histogram exactly only where a bucket ends."""
    if seconds not in histogram.buckets:
        bounds = ", ".join(f"{bound:g}" for bound in histogram.buckets)
        raise ConfigError(
            f"{key} is {seconds:g}, where no bucket of {histogram.prometheus_name} ends; choose of {bounds}"
        )
