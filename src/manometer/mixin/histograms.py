"""What histograms tell, in PromQL: of classic buckets, and of those that Prometheus holds as one native series.

Prometheus makes native histograms of classic ones where it is told so (`convert_classic_histograms_to_nhcb`). The
series `_bucket`, `_count` and `_sum` are gone then. So each expression has an alternative, which costs nothing while
there is no such series.
"""

from collections.abc import Mapping

from manometer.catalogue import MetricSpec
from manometer.mixin.promql import WINDOW, both, bound, by, either, rate, select

__all__ = ["amounts", "events", "quantile", "share_over", "slow"]

_NONE: Mapping[str, str] = {}


def events(
    histogram: MetricSpec, labels: tuple[str, ...], matchers: Mapping[str, str] = _NONE, window: str = WINDOW
) -> str:
    """Events a second."""
    return _part("_count", histogram, labels, matchers, window)


def amounts(
    histogram: MetricSpec, labels: tuple[str, ...], matchers: Mapping[str, str] = _NONE, window: str = WINDOW
) -> str:
    """What the events of a second add up to."""
    return _part("_sum", histogram, labels, matchers, window)


def slow(histogram: MetricSpec, seconds: float, labels: tuple[str, ...], matchers: Mapping[str, str] = _NONE) -> str:
    """Events a second that took longer. seconds: where a bucket ends, for only there it can be said exactly."""
    every = by(labels, rate(select(histogram, matchers, "_count")))
    fast = by(labels, rate(select(histogram, {**matchers, "le": bound(seconds)}, "_bucket")))
    native = _native(histogram, labels, matchers, WINDOW)
    classic = f"{every} - {fast}"
    return (
        f"({either(classic, f'histogram_count({native}) * (1 - histogram_fraction(-Inf, {seconds:g}, {native}))')})"
    )


def share_over(histogram: MetricSpec, seconds: float, labels: tuple[str, ...]) -> str:
    """Share of the events that took longer; nothing where there were none."""
    return f"{slow(histogram, seconds, labels)}\n/ ({events(histogram, labels)} > 0)"


def quantile(
    q: float,
    histogram: MetricSpec,
    labels: tuple[str, ...],
    matchers: Mapping[str, str] = _NONE,
    window: str = WINDOW,
) -> str:
    """What that share of the events did not pass; nothing, and not NaN, where there were none."""
    buckets = by((*labels, "le"), rate(select(histogram, matchers, "_bucket"), window))
    native = _native(histogram, labels, matchers, window)
    found = either(f"histogram_quantile({q}, {buckets})", f"histogram_quantile({q}, {native})")
    return both(f"({found})", f"{events(histogram, labels, matchers, window)} > 0")


def _part(part: str, histogram: MetricSpec, labels: tuple[str, ...], matchers: Mapping[str, str], window: str) -> str:
    classic = by(labels, rate(select(histogram, matchers, part), window))
    return f"({either(classic, f'histogram{part}({_native(histogram, labels, matchers, window)})')})"


def _native(histogram: MetricSpec, labels: tuple[str, ...], matchers: Mapping[str, str], window: str) -> str:
    return by(labels, rate(select(histogram.prometheus_name, matchers), window))
