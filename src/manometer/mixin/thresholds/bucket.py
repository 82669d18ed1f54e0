"""Where a threshold in seconds may lie: at the end of a bucket."""

from manometer.catalogue import MetricSpec
from manometer.errors import ConfigError

__all__ = ["on_a_bound"]


def on_a_bound(key: str, seconds: float, histogram: MetricSpec) -> None:
    """A share of slow events can be read off a histogram exactly only where a bucket ends."""
    if seconds not in histogram.buckets:
        bounds = ", ".join(f"{bound:g}" for bound in histogram.buckets)
        raise ConfigError(
            f"{key} is {seconds:g}, where no bucket of {histogram.prometheus_name} ends; choose of {bounds}"
        )
