"""The thresholds of caches."""

from dataclasses import dataclass

__all__ = ["Cache"]


@dataclass(frozen=True, slots=True)
class Cache:
    """When a cache misses too often.

    hit_ratio: the least share of lookups that should hit; floor: lookups a second below which nobody is alerted.
    """

    hit_ratio: float = 0.8
    floor: float = 1.0
