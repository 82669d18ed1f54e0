"""The thresholds of advice."""

from dataclasses import dataclass, field

from manometer.mixin.thresholds.duration import Duration

__all__ = ["Advice"]


@dataclass(frozen=True, slots=True)
class Advice:
    """When a change is advised.

    window: how far back advice looks; interval: how often it is given anew. samples, events: of each thing, in the
    window, below which nothing is said of it.
    gain_ratio: seconds a second that a change must save; waiting: requests that wait at any time, which a larger pool
    must save. room_ratio: share of a limit that must be out of use. hit_ratio, used_ratio: shares of lookups and of
    entries loaded ahead below which a cache and its prefetch are of no use.
    stage_seconds, stage_ratio: the mean run, and the seconds a second to save, from which a stage is worth a cache;
    acting_stages: those that act on the world, for which no cache can stand, such as one that places orders.
    gc_freed: objects that a full collection frees on average, above which it is not one too many.
    """

    window: Duration = field(default=Duration("1h"))
    interval: Duration = field(default=Duration("300s"))
    samples: float = 30.0
    events: float = 1000.0
    gain_ratio: float = 0.01
    waiting: float = 0.1
    room_ratio: float = 0.5
    hit_ratio: float = 0.05
    used_ratio: float = 0.5
    stage_seconds: float = 0.001
    stage_ratio: float = 0.05
    acting_stages: tuple[str, ...] = ()
    gc_freed: float = 10_000.0
